import { connectPage } from '../../src/page.ts';
import type { PageNet, PagePeer, PageState } from '../../src/page.ts';

/** What the types of a page promise, and what they refuse. Only compiled. */

const resize = async (image: Uint8Array, width: number): Promise<Uint8Array> => image.subarray(0, width);
async function* follow(file: string): AsyncGenerator<string, number, void> {
  yield file;
  return 1;
}
const plain = (a: number): string => String(a);

export async function types(): Promise<void> {
  await using net: PageNet = await connectPage('ws://127.0.0.1:4000', { pass: 'text' });
  await connectPage(new URL('wss://app.example/net'), { pass: async () => 'text', deadline: 5_000 });
  // @ts-expect-error a pass is needed
  await connectPage('ws://127.0.0.1:4000', {});
  // @ts-expect-error a pass is text
  await connectPage('ws://127.0.0.1:4000', { pass: 5 });
  // @ts-expect-error there is no such option
  await connectPage('ws://127.0.0.1:4000', { pass: 'text', retry: 3 });

  const there = net.remote<typeof resize>('img.resize@1');
  const small: Uint8Array = await there(new Uint8Array(3), 2);
  const tag: string = there.tag;
  await there.with({ deadline: 500, signal: AbortSignal.timeout(5), meta: { tenant: 'acme' } })(small, 2);
  // @ts-expect-error a width is needed
  await there(small);
  // @ts-expect-error a width is a number
  await there(small, tag);
  // @ts-expect-error a deadline is a number
  there.with({ deadline: '5 s' });

  for await (const line of net.remote<typeof follow>('follow')('a.log')) line.toUpperCase();
  const text: Promise<string> = net.remote<typeof plain>('plain')(1);
  // @ts-expect-error the result of a remote function is a promise
  const direct: string = net.remote<typeof plain>('plain')(1);
  const anything: unknown = await net.remote('untyped')(1, 'a');

  const off: () => void = net.connect('page.notify', (message: string) => message.length);
  // @ts-expect-error only functions are connected
  net.connect('page.notify', 'text');

  const done = net.event<{ id: string }>('job.done');
  done.subscribe(({ id }, { sequence, gap }) => id.length + sequence + (gap?.missed ?? 0));
  // @ts-expect-error the payload has no such field
  done.subscribe(({ name }) => name);
  const isHeard: boolean = done.emit({ id: '1' });
  // @ts-expect-error the payload is an object
  done.emit('1');

  net.on('open', (server: PagePeer) => server.has('plain'));
  net.on('state', (state: PageState, before: PageState) => state === before);
  net.on('close', ({ code, final }) => (final ? code : 0));
  // @ts-expect-error there is no such event
  net.on('opened', () => {});
  // @ts-expect-error a page cannot change its state
  net.state = 'open';
  void [text, direct, anything, off, isHeard];
}
