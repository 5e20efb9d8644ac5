/**
 * Why a peer left. `stopped`: it said goodbye. `lost`: its process is gone, or it went silent. `replaced`: a newer life of it
 * took its place. `unreachable`: it is there for others, and this peer cannot dial it at any of its addresses.
 *
 * @example
 * peers.on('leave', (peer, why: LeaveReason) => console.log(peer.name, why));
 */
export type LeaveReason = 'stopped' | 'lost' | 'replaced' | 'unreachable';

/**
 * The outcome of the fresh dial that decides about a silent peer.
 *
 * @example
 * const redial: Redial | undefined = evidence('7f1dGx2kQm')?.redial;
 */
export type Redial = 'under way' | 'refused' | 'timed out' | 'failed' | 'no address known';

/**
 * The facts that the local peer knows about another peer at one moment. Each field is undefined if it is not known.
 *
 * @example
 * const { silent, ownLag }: Findings = evidence('7f1dGx2kQm') ?? {};
 */
export interface Findings {
  /** Time since the last byte of the peer arrived, in ms. */
  silent?: number | undefined;
  /** The longest delay of this process's own event loop in that time, in ms. A late loop may have missed what arrived. */
  ownLag?: number | undefined;
  /** The outcome of the fresh dial, if one was made. */
  redial?: Redial | undefined;
  /** Anything else that is known, in words: a close code, the error of a dial. */
  detail?: string | undefined;
  /** Why the peer left, if it did. */
  why?: LeaveReason | undefined;
}

/**
 * Why the local peer considers another peer alive, suspect or gone. It helps you to debug a network.
 *
 * @example
 * peers.on('leave', (peer, why, evidence) => console.log(`${peer.name} is gone: ${evidence}`));
 * // worker:4711 is gone: silent 6.0 s, own lag 12 ms, redial refused
 */
export class Evidence implements Findings {
  /**
   * `alive`: a connection is open and bytes arrive. `suspect`: the peer is silent for too long, and a fresh dial is under
   * way. `gone`: it left. `sought`: a provider hinted at it, and it has not joined yet.
   */
  readonly held: 'alive' | 'suspect' | 'gone' | 'sought';
  /** Time since the last byte of the peer arrived, in ms. */
  readonly silent: number | undefined;
  /** The longest delay of this process's own event loop in that time, in ms. */
  readonly ownLag: number | undefined;
  /** The outcome of the fresh dial, if one was made. */
  readonly redial: Redial | undefined;
  /** Anything else that is known, in words: a close code, the error of a dial. */
  readonly detail: string | undefined;
  /** Why the peer left, if it did. */
  readonly why: LeaveReason | undefined;

  /** @internal */
  constructor(held: Evidence['held'], { silent, ownLag, redial, detail, why }: Findings) {
    this.held = held;
    this.silent = silent;
    this.ownLag = ownLag;
    this.redial = redial;
    this.detail = detail;
    this.why = why;
  }

  /** All of it in words, such as `silent 6.0 s, own lag 12 ms, redial refused`. */
  get text(): string {
    const parts: string[] = [];
    if (this.silent !== undefined) parts.push(`silent ${(this.silent / 1_000).toFixed(1)} s`);
    if (this.ownLag !== undefined) parts.push(`own lag ${Math.round(this.ownLag)} ms`);
    if (this.detail !== undefined) parts.push(this.detail);
    if (this.redial !== undefined) parts.push(`redial ${this.redial}`);
    return parts.join(', ');
  }

  /** @internal The same, and something more that is known. */
  and(more: string): Evidence {
    const { held, silent, ownLag, redial, detail, why } = this;
    const details = detail === undefined ? more : `${detail}, ${more}`;
    return evidence(held, { silent, ownLag, redial, detail: details, why });
  }

  /** Returns `text`. */
  toString(): string {
    return this.text;
  }
}

/** Not in the class: a bundler renames a class that names itself, and people see its name. */
function evidence(held: Evidence['held'], findings: Findings): Evidence {
  return new Evidence(held, findings);
}
