import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createPeer } from '../../src/index.ts';
import type { Opened } from '../../src/presence/messages.ts';
import type { Peer, PeerOptions, RemotePeer } from '../../src/index.ts';

/** Peers of one test: made in a private place, stopped after it. */
export class Stage {
  readonly #peers: Peer[] = [];
  readonly #folders: string[] = [];

  /** A runtime directory of its own, so that tests never meet. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
    this.#folders.push(folder);
    return folder;
  }

  /** Every peer there is, the oldest first. */
  get made(): readonly Peer[] {
    return this.#peers;
  }

  make(options: PeerOptions): Peer {
    // Calls that a test leaves running are not waited for.
    const peer = createPeer({ drainTime: 200, ...options });
    this.#peers.push(peer);
    return peer;
  }

  /** Two started peers that see each other, and the handle each has of the other. */
  async pair(options: PeerOptions, other: PeerOptions = options): Promise<Pair> {
    const a = this.make({ name: 'a', ...options });
    const b = this.make({ name: 'b', ...other });
    await Promise.all([a.start(), b.start()]);
    const [toB] = await meet(a, b.id);
    const [toA] = await meet(b, a.id);
    return { a, b, toA: toA!, toB: toB! };
  }

  async clear(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.stop()));
    await Promise.all(this.#folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

export interface Pair {
  a: Peer;
  b: Peer;
  /** The handle that `b` has of `a`. */
  toA: RemotePeer;
  toB: RemotePeer;
}

/** Resolves with the peers of these ids once `peer` sees them all, in whatever group. */
export async function meet(peer: Peer, ...ids: string[]): Promise<RemotePeer[]> {
  const everywhere = peer.peers.of({ group: '*' });
  for await (const _ of everywhere.watch()) {
    const found = ids.map((id) => everywhere.get(id));
    if (found.every((each) => each !== undefined)) return found;
  }
  throw new Error('the peer stopped before it met the others');
}

/** Resolves with the error or the thrown value of a call that fails. */
export async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    const value = await call;
    return new Error(`expected a failure, and got ${JSON.stringify(value)}`);
  } catch (error) {
    return error;
  }
}

/** The calls of `a` that are pending or queued, and the functions that run on `b`. */
export function underWay({ a, b }: Pair): number[] {
  const { pending, waiting } = a.actor.system.get('caller').getSnapshot().context;
  return [pending, waiting, b.actor.system.get('dispatcher').getSnapshot().context.running];
}

/** The port on which a started peer listens. */
export function portOf(peer: Peer): number {
  const { opened } = peer.actor.getSnapshot().context as { opened: Opened };
  return opened.listener.addresses[0]!.port;
}
