import { systemClock } from '../../base/time/clock.ts';
import type { ThreadHome } from '../../base/process/thread-home.ts';
import { OutgoingCalls } from '../../calls/caller/outgoing-calls.ts';
import { SentCalls } from '../../calls/caller/sent-calls.ts';
import type { CallerMessage } from '../../calls/caller/messages.ts';
import { Evidence } from '../../connection/link/evidence.ts';
import type { LeaveReason } from '../../connection/link/evidence.ts';
import type { Link, PeerRecord } from '../../connection/link/link.ts';
import type { CallerFrame } from '../../connection/messages.ts';
import type { PeerSet } from '../../presence/set/peer-set.ts';
import type { RemotePeer } from '../../presence/set/remote-peer.ts';
import type { Limits } from '../../wire/frames.ts';
import type { Outgoing } from '../../wire/outgoing.ts';
import { REQUEST } from '../../wire/usual-frames.ts';
import type { ToldPeer } from '../callers.ts';
import { PortSocket, ThreadLink, recordOf } from '../port-socket.ts';

/** A way from this thread to another peer: through the main thread, which makes the call there. */
class PeerLink extends ThreadLink {
  override send(frame: Outgoing): void {
    const text = typeof frame === 'string' ? frame : frame.text;
    if (text.startsWith(REQUEST)) this.prefix = `@${this.record.id} `;
    super.send(frame);
  }
}

/** The calls that functions in this thread make to other peers. The main thread makes them, and tells which peers there are. */
export class CallsOut {
  readonly socket: PortSocket;
  readonly #calls: OutgoingCalls;
  /** All links share their numbers, since they share the way to the main thread. */
  readonly #made = new SentCalls();
  readonly #answers: Link;
  readonly #records = new Map<string, PeerRecord>();
  readonly #sets = new Map<PeerSet, (record: PeerRecord) => RemotePeer>();
  #isAsked = false;
  readonly #searched: Promise<void>;
  #markSearched: () => void = () => {};

  constructor({ port, stacks }: ThreadHome) {
    this.socket = new PortSocket(port);
    this.#calls = new OutgoingCalls({ clock: systemClock, queue: 65_536, holds: false, stacks });
    this.#calls.wake = () => this.#calls.receive({ type: 'deadline.passed' });
    this.#calls.cancel = (call, reason) => this.#calls.receive({ type: 'call.cancel', call, reason });
    this.#answers = this.linkTo(recordOf(NOBODY), UNLIMITED);
    this.#calls.receive({ type: 'link.opened', link: this.#answers });
    this.#searched = new Promise((resolve) => (this.#markSearched = resolve));
  }

  /** The actor that makes the calls of a peer, in the form that a peer knows. */
  send(message: CallerMessage): void {
    this.#calls.receive(message);
    this.socket.flush();
  }

  /** The way to a peer. */
  linkTo(record: PeerRecord, limits: Limits): Link {
    const link = new PeerLink(record, this.socket, limits);
    link.made = this.#made;
    return link;
  }

  answered(frame: CallerFrame): void {
    this.#calls.receive({ type: 'frames.received', link: this.#answers, frames: [frame] });
  }

  /** Fills the set with the peers that the main thread sees. Resolves when its first search is over. */
  follow(set: PeerSet, remotePeer: (record: PeerRecord) => RemotePeer): Promise<void> {
    this.#sets.set(set, remotePeer);
    for (const record of this.#records.values()) set.apply({ type: 'join', peer: remotePeer(record) });
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.socket.write('?');
      this.socket.flush();
    }
    return this.#searched;
  }

  /** A line about the peers that the main thread sees. */
  told({ type, peer, why }: ToldPeer): void {
    if (peer === undefined) {
      this.#markSearched();
      return;
    }
    const known = this.#records.get(peer.id);
    if (type === 'functions') {
      if (!known) return;
      known.functions.clear();
      for (const tag of peer.functions) known.functions.add(tag);
    } else if (type === 'join') {
      const record = recordOf(peer);
      for (const tag of peer.functions) record.functions.add(tag);
      record.link = this.linkTo(record, UNLIMITED);
      this.#records.set(peer.id, record);
    } else if (known) {
      this.#records.delete(peer.id);
      known.left = why as LeaveReason;
      known.link = undefined;
    }
    const record = known ?? this.#records.get(peer.id);
    if (record) this.#apply(type, record, why);
  }

  #apply(type: 'join' | 'leave' | 'functions', record: PeerRecord, why: string | undefined): void {
    for (const [set, remotePeer] of this.#sets) {
      const peer = remotePeer(record);
      if (type !== 'leave') set.apply({ type, peer });
      else set.apply({ type, peer, why: why as LeaveReason, evidence: new Evidence('gone', {}) });
    }
  }
}

const UNLIMITED: Limits = { message: Number.MAX_SAFE_INTEGER, calls: Number.MAX_SAFE_INTEGER };

const NOBODY = {
  ...{ id: '', name: '', group: '', hub: false, guest: false, pid: 0, host: '' },
  scope: 'host',
} as const;

const outs = new WeakMap<ThreadHome, CallsOut>();

/** The one of this thread. */
export function callsOut(home: ThreadHome): CallsOut {
  let out = outs.get(home);
  if (!out) {
    out = new CallsOut(home);
    outs.set(home, out);
  }
  return out;
}
