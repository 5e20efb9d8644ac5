import type { PeerRecord } from '../connection/link/link.ts';
import type { RemotePeer } from '../presence/set/remote-peer.ts';
import type { Limits } from '../wire/frames.ts';

/** What a thread is told of a peer that calls: enough for `current().caller`, and for the size of its answers. */
export interface ToldCaller extends Pick<
  PeerRecord,
  'id' | 'name' | 'group' | 'hub' | 'guest' | 'pid' | 'host' | 'scope'
> {
  limits: Limits;
}

/** What a thread is told of the peers that its process sees, once a function in it asks for peers. */
export type ToldPeer =
  | { type: 'join' | 'leave' | 'functions'; peer: ToldFacts; why?: string | undefined }
  | { type: 'searched'; peer?: undefined; why?: undefined };

type ToldFacts = Omit<ToldCaller, 'limits'> & { functions: readonly string[] };

/** The line for it. */
export function toldPeer(
  type: ToldPeer['type'],
  peer: RemotePeer | undefined,
  why: string | undefined,
): string {
  if (!peer) return `*${JSON.stringify({ type })}`;
  const { id, name, group, hub, guest, pid, host, scope, functions } = peer;
  const told: ToldFacts = { id, name, group, hub, guest, pid, host, scope, functions };
  return `*${JSON.stringify({ type, peer: told, why })}`;
}

/** Callers that a thread remembers. The one that has been told of longest is forgotten for the next one. */
const MOST = 256;

/** The numbers under which one thread knows the peers that call it. 0 is this process itself. */
export class Callers {
  readonly #tell: (line: string) => void;
  readonly #known: (PeerRecord | undefined)[] = [];
  readonly #numbers = new WeakMap<PeerRecord, number>();
  #next = 0;
  /** A caller often makes many calls in a row. */
  #last: PeerRecord | undefined;
  #lastText = '';

  /** @param tell passes a line to the thread */
  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** The number of the caller, with a comma. The thread is told of a new one. */
  textOf(record: PeerRecord, limits: Limits): string {
    if (record === this.#last) return this.#lastText;
    const known = this.#numbers.get(record);
    const isKnown = known !== undefined && this.#known[known] === record;
    this.#last = record;
    this.#lastText = `${isKnown ? known : this.#add(record, limits)},`;
    return this.#lastText;
  }

  #add(record: PeerRecord, limits: Limits): number {
    const number = 1 + this.#next;
    this.#next = (this.#next + 1) % MOST;
    this.#known[number] = record;
    this.#numbers.set(record, number);
    this.#tell(toldLine(number, record, limits));
    return number;
  }
}

export function toldLine(number: number, record: PeerRecord, limits: Limits): string {
  const { id, name, group, hub, guest, pid, host, scope } = record;
  const told: ToldCaller = { id, name, group, hub, guest, pid, host, scope, limits };
  return `+${number}${JSON.stringify(told)}`;
}
