import type { PeerRecord, Scope } from './actors/peer-record.ts';

/** How one call is made. */
export interface CallOptions {
  /** How long it may take, in ms, dialling and waiting included. Default: the peer's `deadline` option. */
  deadline?: number | undefined;
  /** Takes the call back: it rejects at once with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Makes a call; throws a TypeError for bad options at once, everything else rejects. */
export type MakeCall = (
  record: PeerRecord,
  tag: string,
  args: readonly unknown[],
  options: CallOptions,
) => Promise<unknown>;

/**
 * Another peer, from its join to its leave. After it has left the object stays readable, and calls to it fail
 * with NOT_SENT; if the same process comes back it is another RemotePeer.
 */
export class RemotePeer {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly hub: boolean;
  /** Process id, on its own host. */
  readonly pid: number;
  /** Its host's name for itself. */
  readonly host: string;
  readonly scope: Scope;
  readonly #record: PeerRecord;
  readonly #makeCall: MakeCall;

  constructor(record: PeerRecord, makeCall: MakeCall) {
    this.id = record.id;
    this.name = record.name;
    this.group = record.group;
    this.hub = record.hub;
    this.pid = record.pid;
    this.host = record.host;
    this.scope = record.scope;
    this.#record = record;
    this.#makeCall = makeCall;
  }

  /** Tags of the functions it has, now. */
  get functions(): readonly string[] {
    return [...this.#record.functions];
  }

  has(tag: string): boolean {
    return this.#record.functions.has(tag);
  }

  /**
   * Runs the function `tag` there, without types; `fn.on(peer)` is the typed way.
   * @throws what the function threw, as its own class, or a NetError
   */
  call(tag: string, args: readonly unknown[] = [], options: CallOptions = {}): Promise<unknown> {
    return this.#makeCall(this.#record, tag, args, options);
  }
}
