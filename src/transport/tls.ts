import { randomBytes } from 'node:crypto';
import type { Socket as NetSocket } from 'node:net';
import { connect, createSecureContext, createServer } from 'node:tls';
import type { SecureContext, Server, TLSSocket } from 'node:tls';

import { LONGEST_TIMER } from '../base/time/clock.ts';
import type { Binding } from '../wire/handshake/proof.ts';
import { ephemeralCertificate } from './certificate.ts';
import { opened } from './opened.ts';
import { owned } from './owned.ts';
import { messageOf } from '../base/text.ts';

/**
 * TLS for connections beyond this host, the same on both ends. TLS encrypts, but does not authenticate by itself: each side makes
 * its own certificate. The handshake proves that nobody sits in between, because it is bound to the keying material that TLS
 * exports.
 */

/**
 * A certificate of your own, in PEM as `node:tls` takes it.
 *
 * @example
 * const tls: TlsOptions = {
 *   key: await readFile('peer.key'),
 *   cert: await readFile('peer.pem'),
 *   ca: await readFile('authority.pem'),
 * };
 * configure({ lan: true, secretFile: 'secret.txt', tls });
 */
export interface TlsOptions {
  /** The private key. */
  key: string | Buffer;
  /** The certificate, or a chain of them. */
  cert: string | Buffer;
  /**
   * The authority, or several, that signed the certificates of all peers. If you give it, both sides show their
   * certificates, and each refuses a certificate that the authority has not signed. Names in certificates are not checked.
   */
  ca?: string | Buffer | (string | Buffer)[] | undefined;
}

// TLS 1.3 only: the exporters of older versions cannot be trusted for this (RFC 9266).
const VERSION = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

/** Passed explicitly, because by default Node loads every authority of the web, which blocks the process for 30 ms. */
const NO_AUTHORITY: string[] = [];

/** The TLS of one transport. Everything is created when it is first needed. */
export class Tls {
  readonly #given: () => TlsOptions | undefined;
  #client: SecureContext | undefined;

  /** @param given a function, so that a log or inspector that walks the actors does not find the key */
  constructor(given: () => TlsOptions | undefined) {
    this.#given = given;
  }

  /** Encrypts the connections passed in with `server.emit('connection', tcp)`, and emits `secureConnection`. */
  async server(): Promise<Server> {
    const given = this.#given();
    if (given) contextOf(given);
    const checked = given?.ca !== undefined;
    const server = createServer({
      ...VERSION,
      ...(given ?? (await ephemeralCertificate())),
      ca: given?.ca ?? NO_AUTHORITY,
      requestCert: checked,
      rejectUnauthorized: checked,
      // `strangers.ts` limits the time of the whole handshake, which includes this part.
      handshakeTimeout: LONGEST_TIMER,
    });
    server.on('secureConnection', owned);
    server.on('tlsClientError', (_, stream) => owned(stream).destroy());
    return server;
  }

  /** Encrypts a connection that this side opened. */
  async secure(tcp: NetSocket): Promise<TLSSocket> {
    const given = this.#given();
    this.#client ??= contextOf(given);
    const stream = connect({
      socket: tcp,
      secureContext: this.#client,
      rejectUnauthorized: given?.ca !== undefined,
      // Do not check names: peers are authenticated by the secret, and their address is only a hint.
      checkServerIdentity: () => undefined,
    });
    await opened(stream, 'secureConnect');
    return stream;
  }
}

/** `tls-exporter` of RFC 9266: the same on both ends of one TLS connection, and on no other. */
export function exporterBinding(stream: TLSSocket): Binding {
  let data: Buffer;
  try {
    data = stream.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  } catch {
    // The connection is already gone, so nothing can be proved on it.
    data = randomBytes(32);
  }
  return { kind: 'tls-exporter', data };
}

/** @throws TypeError if the key or certificate cannot be used */
function contextOf(given: TlsOptions | undefined): SecureContext {
  try {
    return createSecureContext({ ...VERSION, ...given, ca: given?.ca ?? NO_AUTHORITY });
  } catch (cause) {
    const text = messageOf(cause);
    throw new TypeError(`tls: key, cert and ca do not belong together, or are not in PEM format: ${text}`, {
      cause,
    });
  }
}
