import { isPeerId } from '../wire/shapes.ts';
import { printable } from '../base/text.ts';

/** Peers that do not share the secret of this one, as far as it can know: anybody can pretend to be one. */

/** Characters of a name or an address that come from somebody else. */
const LONGEST = 100;

/** Counts them. Only the first one is named, so that strangers can fill neither memory nor log. */
export class OtherSecrets {
  /** Dials that were refused, and announcements that were made with another secret. */
  count = 0;
  /** Whether the user gave the address of one of them. */
  isSeed = false;
  /** Whether the first sign was about a pass. */
  isPass = false;
  #first = '';

  /** @param id of the peer, or its address if only that is known */
  refused(id: string): void {
    this.#note(`${brief(id)} did not accept the secret of this peer`);
    this.isSeed ||= !isPeerId(id);
  }

  /** @param provider where the announcement was found */
  passRefused(id: string): void {
    if (this.count === 0) this.isPass = true;
    this.#note(
      `${brief(id)} did not accept the pass of this peer: it has expired, was revoked or was made with another secret`,
    );
    // A peer with a pass dials addresses that the user gave.
    this.isSeed = true;
  }

  announced(id: string, address: string, provider: string): void {
    const who = `${brief(id)} at ${brief(address)}`;
    this.#note(`${who}, found through ${provider}, has another secret`);
  }

  /** What is known, in words: `127.0.0.1:4000 did not accept the secret of this peer; 7 such signs in all`. */
  get text(): string {
    return this.count > 1 ? `${this.#first}; ${this.count} such signs in all` : this.#first;
  }

  #note(what: string): void {
    this.count += 1;
    if (this.count === 1) this.#first = what;
  }
}

function brief(text: string): string {
  return printable(text.slice(0, LONGEST));
}
