import { BROKER } from '../address.ts';
import type { Address } from '../address.ts';
import type { Life } from './opening.ts';

/**
 * The subjects on the broker. They hold no names: everybody who may subscribe to `>` sees them. One permission, `net.>`, is all
 * that a user of the broker needs.
 */
export class Subjects {
  /** Announcements, for everybody. */
  readonly hello: string;
  readonly #world: string;

  /** @param world the name of the secret, see `SecretKeys` */
  constructor(world: string) {
    this.#world = `net.${world}`;
    this.hello = `${this.#world}.hello`;
  }

  /** Questions who is there. Only peers that are announced listen. */
  get everybody(): string {
    return `${this.#world}.who`;
  }

  /** Where a life of a peer is dialled. */
  life({ id, incarnation }: Life): string {
    return `${this.#world}.${id}.${incarnation}`;
  }

  /** Where the peer with an id answers, whichever life it is in. */
  who(id: string): string {
    return `${this.#world}.${id}.who`;
  }

  /** The subject of one direction of a link. Five parts, so that it is never that of a life. */
  link(nonce: Buffer, to: 'dialler' | 'acceptor'): string {
    return `${this.#world}.link.${nonce.toString('base64url')}.${to}`;
  }

  /** Where answers to one peer arrive. @param random names the peer in this use only */
  replies(random: string, number: number | '*'): string {
    return `${this.#world}.reply.${random}.${number}`;
  }
}

/** The address of a life: it has no host and no port. */
export function natsAddress({ id, incarnation }: Life): Address {
  return { host: `${BROKER}${id}.${incarnation}`, port: 1 };
}

/** Undefined for an address of another kind. */
export function lifeAt({ host }: Address): Life | undefined {
  const [, id, incarnation] = /^nats:([\w-]{1,64})\.([\w-]{1,64})$/.exec(host) ?? [];
  return id !== undefined && incarnation !== undefined ? { id, incarnation } : undefined;
}
