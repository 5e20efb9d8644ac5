import { EventEmitter } from 'eventemitter3';

import { ModuleListeners } from '../../base/reload/module-listeners.ts';
import type { OtherSecrets } from '../other-secrets.ts';
import type { RemotePeer } from './remote-peer.ts';
import type { PeerSource, SourceChange } from './view.ts';
import type { Rights } from '../../wire/handshake/pass.ts';

/** The set of other peers of one local peer, as its discovery reports them. */
export class PeerSet implements PeerSource {
  readonly group: string;
  readonly settled: () => Promise<void>;
  readonly ownRights: Rights | undefined;
  readonly ofModules = new ModuleListeners();
  searched = false;
  otherSecrets: OtherSecrets | undefined;
  readonly #peers = new Map<string, RemotePeer>();
  readonly #emitter = new EventEmitter<{
    change: (change: SourceChange) => void;
    end: (error: Error) => void;
  }>();
  ended: Error | undefined;

  constructor(group: string, settled: () => Promise<void>, ownRights?: Rights) {
    this.group = group;
    this.ownRights = ownRights;
    this.settled = async () => {
      await settled();
      this.searched = true;
    };
  }

  current(): RemotePeer[] {
    return [...this.#peers.values()];
  }

  get size(): number {
    return this.#peers.size;
  }

  each(): Iterable<RemotePeer> {
    return this.#peers.values();
  }

  get(id: string): RemotePeer | undefined {
    return this.#peers.get(id);
  }

  subscribe(listener: (change: SourceChange) => void, ended: (error: Error) => void): () => void {
    if (this.ended) {
      const error = this.ended;
      queueMicrotask(() => ended(error));
      return () => {};
    }
    this.#emitter.on('change', listener);
    this.#emitter.on('end', ended);
    return () => {
      this.#emitter.off('change', listener);
      this.#emitter.off('end', ended);
    };
  }

  apply(change: SourceChange): void {
    const { type, peer } = change;
    if (type === 'join') this.#peers.set(peer.id, peer);
    if (type === 'leave') this.#peers.delete(peer.id);
    for (const listener of this.#emitter.listeners('change')) {
      try {
        listener(change);
      } catch (error) {
        // A listener of the user threw. It must not stop the other listeners or the actor that reports the change. Its error
        // becomes an uncaught exception, as with any event of Node.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  end(error: Error): void {
    if (this.ended) return;
    this.ended = error;
    this.#emitter.emit('end', error);
    this.#emitter.removeAllListeners();
  }
}
