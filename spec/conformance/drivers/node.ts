/**
 * Drives this library, in whichever runtime runs this file: Node, Bun or Deno. Commands come in as lines of JSON, answers and
 * notices go out. It is also the counterpart of every implementation.
 */

import { createInterface } from 'node:readline';

import type { Peer, RemotePeer } from '../../../src/index.ts';
import { countTo, serveStandard } from '../standard.ts';
import { tell, tellError, toLine, understand } from '../values.ts';

// The built library, as a URL: it is not a part of what the suite builds of this file.
const library = (await import(process.argv[2]!)) as typeof import('../../../src/index.ts');

/** Everything but what no JavaScript can do. */
const CAPABILITIES = [
  ...[
    'directory',
    'address',
    'listen',
    'call',
    'serve',
    'kwargs.serve',
    'functions',
    'meta',
    'caller',
    'throw',
    'deadline',
  ],
  ...[
    'cancel',
    'streams.read',
    'streams.serve',
    'streams.return',
    'arguments.send',
    'arguments.serve',
    'events.hear',
    'events.emit',
    'events.gap',
  ],
  ...['presence', 'unsendable'],
  ...[
    'undefined',
    'number',
    'bigint',
    'date',
    'invalidDate',
    'regexp',
    'url',
    'set',
    'map',
    'error',
    'bytes',
    'buffer',
  ].map((kind) => `values.${kind}`),
];

interface Command {
  id: number;
  do: string;
  directory?: string;
  address?: string;
  secret?: string;
  name?: string;
  own?: string;
  pages?: boolean;
  origins?: string[];
  peer: string;
  tag: string;
  args?: unknown[];
  deadline?: number;
  meta?: { [key: string]: string };
  key: string;
  count: number;
  event: string;
  value: unknown;
}

let peer: Peer;
const calls = new Map<string, AbortController>();
const streams = new Map<string, AsyncIterator<unknown>>();
const connected = new Map<string, () => string>();
const subscriptions = new Map<string, { unsubscribe(): void }>();
/** How many values the last stream that was sent as an argument has given. */
let sent = 0;

function write(line: object): void {
  process.stdout.write(`${toLine(line)}\n`);
}

const commands: { [name: string]: (command: Command) => unknown } = {
  describe: () => ({ implementation: 'app-net', capabilities: CAPABILITIES }),
  start: async ({ directory, address, secret, name, own, pages }) => {
    peer = library.createPeer({
      ...(directory ? { runtimeDir: directory } : {}),
      ...(address ? { seeds: [address] } : {}),
      ...(secret ? { secret } : {}),
      ...(name ? { name } : {}),
      ...(own ? { id: own } : {}),
      ...(pages ? { pages: { port: 0 } } : {}),
    });
    peer.peers.on('join', (each) => write({ notice: 'joined', peer: each.id, name: each.name }));
    peer.peers.on('leave', (each, why) => write({ notice: 'left', peer: each.id, why }));
    await peer.start();
    return peer.id;
  },
  serve: () => {
    const { current, registerError } = library;
    serveStandard({ connect: (tag, fn) => peer.connect(tag, fn), current, registerError }, write);
  },
  admit: async ({ origins }) => {
    const [may, hear, offers] = [['*'], ['*'], ['*']];
    const pass = await peer.pass({ may, hear, offers, name: 'guest', ...(origins ? { origins } : {}) });
    return { url: peer.pagesUrl, pass };
  },
  peers: () =>
    [...peer.peers].map((each) => ({ id: each.id, name: each.name, functions: [...each.functions] })),
  call: async ({ peer: id, tag, args = [], deadline, meta, key }) => {
    const control = new AbortController();
    calls.set(key, control);
    const options = { signal: control.signal, ...(deadline ? { deadline } : {}), ...(meta ? { meta } : {}) };
    return tell(await library.remote(tag).on(find(id), options)(...(args.map(argument) as never[])));
  },
  cancel: ({ key }) => calls.get(key)!.abort(),
  open: ({ peer: id, tag, args = [], deadline, key }) => {
    const call = peer.remote(tag).on(find(id), deadline ? { deadline } : {})(
      ...(args.map(argument) as never[]),
    );
    streams.set(key, (call as unknown as AsyncIterable<unknown>)[Symbol.asyncIterator]());
  },
  read: async ({ key, count }) => {
    const values: unknown[] = [];
    while (values.length < count) {
      const next = await streams.get(key)!.next();
      if (next.done) return { values, ended: true, returned: tell(next.value) };
      values.push(tell(next.value));
    }
    return { values, ended: false };
  },
  leave: async ({ key }) => {
    await streams.get(key)!.return?.();
  },
  sent: () => sent,
  subscribe: ({ event }) => {
    const on = peer
      .event(event)
      .subscribe(
        (value, { peer: from, name, sequence }) =>
          write({ notice: 'event', event: name, peer: from.id, sequence, value: tell(value) }),
        { onGap: (gap) => write({ notice: 'gap', event, why: gap.why, missed: gap.missed ?? null }) },
      );
    subscriptions.set(event, on);
  },
  unsubscribe: ({ event }) => subscriptions.get(event)!.unsubscribe(),
  emit: ({ event, value }) => peer.event(event).emit(understand(value)),
  subscribers: ({ event }) => peer.event(event).subscribers.length,
  connect: ({ tag }) => {
    connected.set(
      tag,
      peer.connect(tag, () => tag),
    );
  },
  disconnect: ({ tag }) => peer.disconnect(connected.get(tag)!),
  stop: async () => {
    await peer.stop();
    setImmediate(() => process.exit(0));
  },
};

function find(id: string): RemotePeer | string {
  return [...peer.peers].find((each) => each.id === id) ?? id;
}

function argument(told: unknown): unknown {
  return understand(told, (count, fails) => counted(count, fails));
}

async function* counted(count: number, fails?: string): AsyncGenerator<number> {
  sent = 0;
  for await (const each of countTo(count, fails)) {
    sent += 1;
    yield each;
  }
}

function failed(error: unknown): object {
  if (error instanceof library.NetError) {
    return { failure: { code: error.code, ran: error.ran } };
  }
  if (!(error instanceof Error)) return { thrown: tell(error) };
  return error.name === 'AbortError' ? { aborted: true } : { error: tellError(error) };
}

async function run(command: Command): Promise<void> {
  try {
    const done = await commands[command.do]!(command);
    write({ id: command.id, done: done === undefined ? null : done });
  } catch (error) {
    write({ id: command.id, failed: failed(error) });
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    run(JSON.parse(line) as Command).catch((error: unknown) => console.error(error));
  })
  .on('close', () => process.exit(0));
