/**
 * Drives `app-net/page`, in a browser and wherever else there is a `WebSocket`. Whoever runs it gives it the lines and takes what
 * it writes.
 */

import { countTo, serveStandard } from '../standard.ts';
import { tell, tellError, understand } from '../values.ts';

type Library = typeof import('../../../src/page.ts');

/** Pages have no Buffer, and one server instead of a directory. */
const CAPABILITIES = [
  ...[
    'pass',
    'call',
    'serve',
    'kwargs.serve',
    'functions',
    'meta',
    'caller',
    'throw',
    'unsendable',
    'deadline',
    'cancel',
  ],
  ...['streams.read', 'streams.serve', 'streams.return', 'arguments.send', 'arguments.serve'],
  ...['events.hear', 'events.emit', 'presence'],
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
  ].map((kind) => `values.${kind}`),
];

interface Command {
  id: number;
  do: string;
  url: string;
  pass: string;
  tag: string;
  args?: unknown[];
  deadline?: number;
  meta?: { [key: string]: string };
  key: string;
  count: number;
  event: string;
  value: unknown;
}

/** @param origin of the page, if it has one */
export function drivePage(
  library: Library,
  write: (line: object) => void,
  origin?: string,
): (line: string) => Promise<void> {
  let net: Awaited<ReturnType<Library['connectPage']>>;
  const calls = new Map<string, AbortController>();
  const streams = new Map<string, AsyncIterator<unknown>>();
  const subscriptions = new Map<string, () => void>();
  const connected = new Map<string, () => void>();
  let sent = 0;

  async function* counted(count: number, fails?: string): AsyncGenerator<number> {
    sent = 0;
    for await (const each of countTo(count, fails)) {
      sent += 1;
      yield each;
    }
  }

  /** The call, begun. */
  function call({ tag, args = [], deadline, meta }: Command, signal?: AbortSignal): unknown {
    const given = args.map((told) => understand(told, counted));
    return net.remote(tag).with({ deadline, meta, signal })(...given);
  }

  const commands: { [name: string]: (command: Command) => unknown } = {
    describe: () => ({ implementation: 'app-net/page', capabilities: CAPABILITIES, origin }),
    start: async ({ url, pass }) => {
      net = await library.connectPage(url, { pass });
      let here = '';
      const joined = ({ id, name }: { id: string; name: string }): void => {
        here = id;
        write({ notice: 'joined', peer: id, name });
      };
      joined(net.peers[0]!);
      net.on('open', joined);
      net.on('close', () => write({ notice: 'left', peer: here, why: 'lost' }));
      return net.id;
    },
    serve: () => {
      const { registerError } = library;
      const current = (): NonNullable<ReturnType<typeof net.current>> => net.current()!;
      serveStandard({ connect: (tag, fn) => net.connect(tag, fn), current, registerError }, write);
    },
    peers: () => net.peers.map(({ id, name, functions }) => ({ id, name, functions })),
    call: async (command) => {
      const control = new AbortController();
      calls.set(command.key, control);
      return tell(await call(command, control.signal));
    },
    cancel: ({ key }) => calls.get(key)!.abort(),
    open: (command) => {
      streams.set(command.key, (call(command) as AsyncIterable<unknown>)[Symbol.asyncIterator]());
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
      const on = net.event(event).subscribe((value, { name, sequence, peer }) => {
        write({ notice: 'event', event: name, peer: peer.id, sequence, value: tell(value) });
      });
      subscriptions.set(event, on);
    },
    unsubscribe: ({ event }) => subscriptions.get(event)!(),
    emit: ({ event, value }) => Number(net.event(event).emit(understand(value))),
    connect: ({ tag }) => {
      connected.set(
        tag,
        net.connect(tag, () => tag),
      );
    },
    disconnect: ({ tag }) => connected.get(tag)!(),
    stop: () => net.close(),
  };

  function failed(error: unknown): object {
    if (error instanceof library.NetError) return { failure: { code: error.code, ran: error.ran } };
    if ((error as { name?: unknown } | undefined)?.name === 'AbortError') return { aborted: true };
    return error instanceof Error ? { error: tellError(error) } : { thrown: tell(error) };
  }

  return async (line) => {
    const command = JSON.parse(line) as Command;
    try {
      const done = await commands[command.do]!(command);
      write({ id: command.id, done: done === undefined ? null : done });
    } catch (error) {
      write({ id: command.id, failed: failed(error) });
    }
  };
}
