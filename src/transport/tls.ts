import { randomBytes } from 'node:crypto';
import type { Socket as NetSocket } from 'node:net';
import { connect, createSecureContext, createServer } from 'node:tls';
import type { SecureContext, Server, TLSSocket } from 'node:tls';

import { LONGEST_TIMER } from '../base/clock.ts';
import type { Binding } from '../wire/handshake.ts';
import { ephemeralCertificate } from './certificate.ts';
import { opened } from './opened.ts';
import { owned } from './owned.ts';

/**
 * TLS beyond this host, the same on both ends. It encrypts; by itself it proves nobody: certificates are made by who
 * shows them. That no one sits in between is proved by the handshake, which is bound to what TLS exports.
 */

/** A certificate of one's own. PEM, as `node:tls` takes it. */
export interface TlsOptions {
  key: string | Buffer;
  cert: string | Buffer;
  /**
   * The authority (or several) that signed the certificates of all peers. With it each side shows its certificate,
   * and refuses one that is not signed by it. Names in certificates are not looked at.
   */
  ca?: string | Buffer | (string | Buffer)[] | undefined;
}

// Older versions have no exporter that can be trusted for this (RFC 9266), and nothing here speaks them.
const VERSION = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

/** Said aloud: by default Node reads every authority of the web, which holds up the process for 30 ms. */
const NO_AUTHORITY: string[] = [];

/** What one transport needs of TLS, made when there is need of it. */
export class Tls {
  readonly #given: () => TlsOptions | undefined;
  #client: SecureContext | undefined;

  /** @param given a function, so that no log or inspector that walks the actors comes upon the key */
  constructor(given: () => TlsOptions | undefined) {
    this.#given = given;
  }

  /** Encrypts what comes in by `server.emit('connection', tcp)`, and emits `secureConnection`. */
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
      // The whole handshake, of which this is a part, is timed by `strangers.ts`.
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
      // Peers are known by the secret, not by a name, and where they are is only ever a hint.
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
    // The connection is gone already. Nobody can prove anything on it.
    data = randomBytes(32);
  }
  return { kind: 'tls-exporter', data };
}

/** @throws TypeError for a key or certificate that cannot be used */
function contextOf(given: TlsOptions | undefined): SecureContext {
  try {
    return createSecureContext({ ...VERSION, ...given, ca: given?.ca ?? NO_AUTHORITY });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`tls: key, cert and ca do not fit together or are no PEM: ${text}`, { cause });
  }
}
