import type { Processes, TestProcess } from './processes.ts';
import { freePort } from './free-port.ts';

/** A real process that lets pages in: what pages of the specs connect to. */

const SCRIPT = `
  import { createServer } from 'node:http';
  import { text } from 'node:stream/consumers';
  import { createPeer, current } from 'app-net';
  const peer = createPeer({ name: 'server', pages: { port: Number(process.env.PORT) }, logLevel: 'error', drainTime: 300 });
  const functions = {
    add: (a, b) => a + b,
    echo: (value) => value,
    kind: (value) => Object.prototype.toString.call(value),
    fail: () => { throw Object.assign(new RangeError('no', { cause: new Error('because') }), { code: 'E_NO' }); },
    hang: () => new Promise(() => {}),
    whatEnds: () => {
      const { signal } = current();
      return new Promise(() => signal.addEventListener('abort', () => console.log('aborted', signal.reason.code)));
    },
    meta: () => current().meta,
    caller: () => current().caller.name,
    count: async function* (to) { try { for (let i = 0; i < to; i += 1) { made = i; yield i; } return 'end'; } finally { left += 1; } },
    made: () => ({ made, left }),
    sum: async (numbers) => { let sum = 0; for await (const each of numbers) sum += each; return sum; },
    ask: (tag, ...args) => current().caller.call(tag, args),
    drain: async (tag, ...args) => { const got = []; for await (const each of await current().caller.call(tag, args)) got.push(each); return got; },
    askError: (tag) => current().caller.call(tag, []).catch((error) => [error.name, error.code ?? null, error.ran ?? null, error.stack]),
    pour: async (tag, count) => { async function* numbers() { for (let i = 0; i < count; i += 1) yield i; } return current().caller.call(tag, [numbers()]); },
    emit: (name, ...values) => { for (const value of values) peer.event(name).emit(value); },
    has: (tag) => current().caller.has(tag),
    secret: () => 'nobody may call this',
  };
  let [made, left] = [0, 0];
  for (const [tag, fn] of Object.entries(functions)) peer.connect('try.' + tag, fn);
  peer.event('page.said').subscribe((value, { gap, peer: { name } }) => console.log(JSON.stringify({ said: value, gap: gap ?? null, name })));
  peer.peers.on('join', ({ name }) => console.log(JSON.stringify({ joined: name })));
  peer.peers.on('leave', ({ name }, why) => console.log(JSON.stringify({ left: name, why })));
  await peer.start();
  const rights = { may: ['try.*'], hear: ['news', 'many.*'], offers: ['page.*'], name: 'ada' };
  const commands = {
    pass: (origins, more) => peer.pass({ ...rights, origins, ...more }),
    revoke: (pass) => peer.revoke(pass),
    stop: () => peer.stop(),
  };
  const control = createServer(async (request, response) => {
    const [command, ...args] = JSON.parse(await text(request));
    response.end(JSON.stringify({ result: await commands[command](...args) }));
    if (command === 'stop') process.exit();
  });
  control.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: peer.pagesUrl, control: control.address().port })));
`;

export class PageServer {
  readonly url: string;
  readonly process: TestProcess;
  readonly #control: number;

  private constructor(url: string, control: number, server: TestProcess) {
    this.url = url;
    this.#control = control;
    this.process = server;
  }

  /** @param port of a server that was there before. Default: a free one */
  static async start(processes: Processes, folder: string, port?: number): Promise<PageServer> {
    const env = { PORT: String(port ?? (await freePort())) };
    const server = await processes.start(folder, SCRIPT, { env });
    type Told = { url: string; control: number };
    const { url, control } = await server.line<Told>((line) => line.url !== undefined);
    return new PageServer(url, control, server);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** @param origins of the pages that may use it; none: programs may */
  async pass(origins: readonly string[], more: object = {}): Promise<string> {
    return (await this.#do('pass', origins, more)) as string;
  }

  async revoke(pass: string): Promise<void> {
    await this.#do('revoke', pass);
  }

  async stop(): Promise<void> {
    await this.#do('stop');
    await this.process.exited;
  }

  async #do(...command: unknown[]): Promise<unknown> {
    const body = JSON.stringify(command);
    const response = await fetch(`http://127.0.0.1:${this.#control}/`, { method: 'POST', body });
    return ((await response.json()) as { result: unknown }).result;
  }
}
