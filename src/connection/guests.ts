import { Alarm } from '../base/time/alarm.ts';
import type { Clock } from '../base/time/clock.ts';
import { CLOSE } from '../wire/frames.ts';
import type { AdmitGuest, Guest } from '../wire/handshake/guest.ts';
import { HandshakeFailed } from '../wire/handshake/handshake-messages.ts';
import { readClaims, Rights } from '../wire/handshake/pass.ts';
import type { PassClaims } from '../wire/handshake/pass.ts';
import { guestId, handshakeKeysOf, keyOfPass } from '../wire/handshake/secret.ts';
import type { SecretKeys } from '../wire/handshake/secret.ts';
import type { RevokedPass } from '../wire/revoked-frame.ts';
import type { Link } from './link/link.ts';
import { RevokedPasses } from './revoked-passes.ts';

/** The passes that this peer takes: which are valid, and the links of those that have them. */
export class Guests {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #links = new Set<Link>();
  readonly #revoked = new RevokedPasses();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#alarm = new Alarm(clock, () => this.#endExpired());
  }

  /**
   * Decides about passes on one connection. The cheap checks come first.
   * @param origin of the upgrade; undefined if it had none
   */
  admission({ world, passes }: SecretKeys, origin: string | undefined): AdmitGuest {
    return (shown, { id, incarnation }): Guest => {
      if (!passes) throw new HandshakeFailed('this peer takes no passes, as its secret is no made one');
      const claims = claimsOf(shown);
      if (!claims) throw new HandshakeFailed('the pass cannot be read');
      if (claims.kid !== world) throw new HandshakeFailed('the pass was made with another secret');
      const rights = new Rights(claims);
      if (rights.expires <= Date.now()) throw new HandshakeFailed('the pass has expired');
      if (this.#revoked.has(claims.id)) throw new HandshakeFailed('the pass was revoked');
      checkOrigin(claims, origin);
      if (id !== guestId(shown, incarnation))
        throw new HandshakeFailed('the id does not follow from the pass and the incarnation');
      return { keys: handshakeKeysOf(keyOfPass(passes, shown)), rights };
    };
  }

  /** Open links of guests. */
  get size(): number {
    return this.#links.size;
  }

  /** How many revoked passes are remembered. */
  get revoked(): number {
    return this.#revoked.size;
  }

  /** The link of a guest is open. */
  opened(link: Link): void {
    this.#links.add(link);
    this.#setAlarm(link);
    // It was revoked while its handshake ran.
    if (this.#revoked.has(link.rights!.pass)) end(link, REVOKED);
  }

  /** A link to a peer is open that has the secret, and that takes frames about others. */
  met(link: Link): void {
    this.#revoked.opened(link);
  }

  closed(link: Link): void {
    this.#revoked.closed(link);
    this.#links.delete(link);
    if (this.#links.size === 0) this.#alarm.clear();
  }

  /**
   * Refuses the pass from now on, ends the links of those that have it, and tells the others that have the secret.
   * @param shown the public part of the pass
   * @throws TypeError for anything else
   */
  revoke(shown: string): void {
    const claims = claimsOf(shown);
    if (!claims) throw new TypeError('pass: give a pass that peer.pass() made');
    const { id, exp } = claims;
    this.#end(this.#revoked.add([{ id, exp }]));
  }

  /** A peer that has the secret has told of passes that were revoked. */
  told(passes: readonly RevokedPass[], from: Link): void {
    this.#end(this.#revoked.add(passes, from));
  }

  #end(passes: readonly RevokedPass[]): void {
    const ids = new Set(passes.map(({ id }) => id));
    for (const link of [...this.#links]) if (ids.has(link.rights!.pass)) end(link, REVOKED);
  }

  #endExpired(): void {
    const now = Date.now();
    for (const link of [...this.#links]) {
      if (link.rights!.expires <= now) end(link, EXPIRED);
      else this.#setAlarm(link);
    }
  }

  /** A pass expires by the time of day, which may be set, and which goes on while a computer sleeps. So it is looked at now and then. */
  #setAlarm(link: Link): void {
    const left = Math.max(0, link.rights!.expires - Date.now());
    this.#alarm.wakeBy(this.#clock.now() + Math.min(left, LONGEST_WAIT));
  }
}

/** Time between two looks at the time of day, in ms, at most. */
const LONGEST_WAIT = 60_000;

const REVOKED = 'its pass was revoked';
const EXPIRED = 'its pass has expired';

function end(link: Link, reason: string): void {
  link.breach(reason, CLOSE.HANDSHAKE);
}

function claimsOf(shown: unknown): PassClaims | undefined {
  return typeof shown === 'string' ? readClaims(Buffer.from(shown, 'base64url').toString('utf8')) : undefined;
}

/** A page of a file, a sandbox or a redirect has the origin `null`, which anybody can have. */
function checkOrigin({ origins = [] }: PassClaims, origin: string | undefined): void {
  const isRight = origin === undefined ? origins.length === 0 : origin !== 'null' && origins.includes(origin);
  if (!isRight)
    throw new HandshakeFailed(`the pass is not for the origin ${origin ?? 'of a client without one'}`);
}
