import { event, peers } from '../../src/index.ts';
import type { ReadyOptions, RemotePeer } from '../../src/index.ts';

// With `noUncheckedIndexedAccess` the peers that were waited for are there.
const [peer, another] = await peers.ready('add');
peer satisfies RemotePeer;
another satisfies RemotePeer | undefined;
// @ts-expect-error -- only one was asked for
another satisfies RemotePeer;

const [, two, three] = await peers.ready({ group: 'gpu' }, { min: 2 });
two satisfies RemotePeer;
// @ts-expect-error -- only two were asked for
three satisfies RemotePeer;

const options: ReadyOptions = { min: 5 };
const [first, second] = await peers.ready('add', options);
first satisfies RemotePeer;
// @ts-expect-error -- the number is not known
second satisfies RemotePeer;

(await peers.ready('add', { min: 1_000 })) satisfies RemotePeer[];
const [subscriber] = await event('done').ready({ signal: AbortSignal.timeout(5) });
subscriber satisfies RemotePeer;
