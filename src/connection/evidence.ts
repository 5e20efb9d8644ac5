/** Why a peer is no longer there: it said so, the connection broke, or a newer life of it took its place. */
export type LeaveReason = 'stopped' | 'lost' | 'replaced';

/** What became of the fresh dial that decides about a silent peer. */
export type Redial = 'under way' | 'refused' | 'timed out' | 'failed' | 'no address known';

/** What is known about a peer at a moment; times in ms. */
export interface Findings {
  /** Since the last byte of it arrived. */
  silent?: number | undefined;
  /** The longest that this process' own event loop was late in that time: what it missed is no evidence. */
  ownLag?: number | undefined;
  redial?: Redial | undefined;
  /** What else is known, in words: a close code, the error of a dial. */
  detail?: string | undefined;
  /** Of one that is gone. */
  why?: LeaveReason | undefined;
}

/**
 * Why a peer is held for alive, suspect or gone; for people who debug networks.
 *
 * @example
 * peers.on('leave', (peer, why, evidence) => console.log(`${peer.name} is gone: ${evidence}`));
 * // worker:4711 is gone: silent 6.0 s, own lag 12 ms, redial refused
 */
export class Evidence implements Findings {
  /**
   * `alive`: a connection is open and bytes arrive. `suspect`: silent for too long, and a fresh dial is under way.
   * `gone`: it left. `sought`: somebody hinted at it, and it has not joined so far.
   */
  readonly held: 'alive' | 'suspect' | 'gone' | 'sought';
  readonly silent: number | undefined;
  readonly ownLag: number | undefined;
  readonly redial: Redial | undefined;
  readonly detail: string | undefined;
  readonly why: LeaveReason | undefined;

  constructor(held: Evidence['held'], { silent, ownLag, redial, detail, why }: Findings) {
    this.held = held;
    this.silent = silent;
    this.ownLag = ownLag;
    this.redial = redial;
    this.detail = detail;
    this.why = why;
  }

  /** The whole in words, such as `silent 6.0 s, own lag 12 ms, redial refused`. */
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

  toString(): string {
    return this.text;
  }
}

/** Not in the class: a bundler renames a class that names itself, and people see its name. */
function evidence(held: Evidence['held'], findings: Findings): Evidence {
  return new Evidence(held, findings);
}
