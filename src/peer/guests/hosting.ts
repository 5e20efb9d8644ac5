import { randomBytes, timingSafeEqual } from 'node:crypto';

import { NetError } from '../../base/errors.ts';
import { Guests } from '../../connection/guests.ts';
import type { Socket } from '../../transport/transport.ts';
import { splitPass } from '../../wire/handshake/pass.ts';
import type { PassClaims } from '../../wire/handshake/pass.ts';
import { keyOfPass } from '../../wire/handshake/secret.ts';
import type { SecretKeys } from '../../wire/handshake/secret.ts';
import type { Settings } from '../options/options.ts';
import { PageDoors } from './page-doors.ts';
import { checkLength, claimsOf, noPasses } from './pass-options.ts';
import type { PassOptions } from './pass-options.ts';

/** What a peer needs to have guests: it makes passes, checks them, and lets web pages in. */
export class Hosting {
  readonly guests: Guests;
  readonly doors: PageDoors;
  readonly #isGuest: boolean;
  #keys: SecretKeys | undefined;

  constructor(settings: Settings) {
    this.guests = new Guests(settings.clock);
    this.doors = new PageDoors(settings);
    this.#isGuest = settings.pass !== undefined;
  }

  /** @param accept takes a connection that came in for pages */
  async open(keys: SecretKeys, accept: (socket: Socket) => void): Promise<void> {
    this.#keys = keys;
    await this.doors.open(accept);
  }

  /**
   * Call when the peer is online.
   * @throws TypeError that names a wrong option; NetError INSECURE if this peer cannot make passes
   */
  makePass(options: PassOptions): string {
    if (this.#isGuest) {
      const text = 'this peer has a pass itself; only a peer that has the secret can make passes';
      throw new NetError('INSECURE', text);
    }
    const claims = claimsOf(options);
    const { passes, world: kid } = this.#keys!;
    if (!passes) throw noPasses();
    const whole: PassClaims = { v: 1, kid, id: randomBytes(12).toString('base64url'), ...claims };
    const shown = checkLength(Buffer.from(JSON.stringify(whole), 'utf8').toString('base64url'));
    return `${shown}.${keyOfPass(passes, shown).toString('base64url')}`;
  }

  /**
   * Takes a pass back. Those that somebody has made up would push out others, as only so many are remembered.
   * @throws TypeError for what is no pass of this secret
   */
  revoke(pass: string): void {
    const parts = splitPass(pass);
    if (!parts) throw new TypeError('pass: give a pass that peer.pass() made');
    const { shown, key } = parts;
    const passes = this.#keys?.passes;
    if (passes && !timingSafeEqual(Buffer.from(key, 'base64url'), keyOfPass(passes, shown)))
      throw new TypeError('pass: this pass was altered, or made with another secret');
    this.guests.revoke(shown);
  }
}
