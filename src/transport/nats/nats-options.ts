import { readFile } from 'node:fs/promises';

import { refuseUnknown } from '../../base/option-checks.ts';
import { messageOf } from '../../base/text.ts';

/**
 * How to reach NATS. Everything but `servers` is about the login at the broker, as its administrator set it up. It has nothing to
 * do with the secret of the peers.
 *
 * @example
 * const options: NatsOptions = { servers: ['tls://a.example:4222', 'tls://b.example:4222'], credsFile: 'app.creds' };
 * const peer = createPeer({ secretFile: 'net.secret', network: natsNetwork(options) });
 */
export interface NatsOptions {
  /**
   * URLs of the servers, such as `nats://10.0.0.1:4222` or `tls://nats.example:4222`. A URL may hold a user and a password, or a
   * token: `nats://token@host`. The client finds the other servers of a cluster by itself. With TLS, list all of them.
   */
  servers: string | readonly string[];
  /** The path of a `.creds` file, for servers with accounts of their own (JWT). */
  credsFile?: string | undefined;
  /** The user's name. */
  user?: string | undefined;
  /** The user's password. */
  pass?: string | undefined;
  /** A token, for servers that use one instead of users. */
  token?: string | undefined;
  /** An authenticator of `@nats-io/transport-node`, such as `nkeyAuthenticator(seed)`. */
  authenticator?: ((nonce?: string) => unknown) | undefined;
  /** Options of TLS, as `@nats-io/transport-node` takes them. A URL with `tls://` needs none. */
  tls?: NatsTls | undefined;
}

/**
 * TLS to the broker: the files, or their content in PEM.
 *
 * @example
 * const tls: NatsTls = { caFile: 'broker-ca.pem' };
 * natsNetwork({ servers: 'tls://nats.example:4222', tls });
 */
export interface NatsTls {
  /** The authority that signed the certificate of the server. Default: those that Node trusts. */
  ca?: string | undefined;
  /** The path of a file with it. */
  caFile?: string | undefined;
  /** The certificate of this client, for servers that ask for one. */
  cert?: string | undefined;
  /** The path of a file with it. */
  certFile?: string | undefined;
  /** The key of that certificate. */
  key?: string | undefined;
  /** The path of a file with it. */
  keyFile?: string | undefined;
  /** Begin with TLS, before the server says anything (`handshake_first` of the server). Default: false. */
  handshakeFirst?: boolean | undefined;
}

// The type makes it exhaustive: a new option that is missing here does not compile.
const KNOWN: Record<keyof NatsOptions, true> = {
  servers: true,
  credsFile: true,
  user: true,
  pass: true,
  token: true,
  authenticator: true,
  tls: true,
};

/** The options in the form that the client takes. */
export interface Login {
  servers: string[];
  user?: string;
  pass?: string;
  token?: string;
  tls?: NatsTls | Record<string, never>;
  authenticator?: (nonce?: string) => unknown;
}

/** What a bus is opened with. It is read again for each connection, since files with credentials are renewed. */
export interface LoginSource {
  /** Without the credentials, for people. */
  readonly servers: readonly string[];
  /** @param creds makes an authenticator of the content of a `.creds` file */
  login(creds: (content: Uint8Array) => (nonce?: string) => unknown): Promise<Login>;
}

/** @throws TypeError that names the option */
export function checkNatsOptions(options: NatsOptions): LoginSource {
  refuseUnknown('option', options, KNOWN);
  const given = typeof options.servers === 'string' ? options.servers.split(',') : options.servers;
  if (!Array.isArray(given) || given.length === 0) throw badServers();
  const urls = (given as readonly string[]).map((each) => parse(each));
  const { credsFile, user, pass, token, authenticator, tls } = options;
  for (const [name, value] of Object.entries({ credsFile, user, pass, token })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw new TypeError(`${name}: give a text that is not empty`);
  }
  if (authenticator !== undefined && typeof authenticator !== 'function')
    throw new TypeError(
      'authenticator: give one of @nats-io/transport-node, such as nkeyAuthenticator(seed)',
    );
  const [first] = urls;
  const isEncrypted = urls.some(({ protocol }) => protocol === 'tls:');
  const fromUrl =
    first!.password === '' ? { token: first!.username } : { user: first!.username, pass: first!.password };
  return {
    servers: urls.map(({ host }) => host),
    login: async (creds) => ({
      servers: urls.map(({ host }) => host),
      ...(first!.username !== '' && fromUrl),
      ...(user !== undefined && { user }),
      ...(pass !== undefined && { pass }),
      ...(token !== undefined && { token }),
      ...(tls === undefined ? isEncrypted && { tls: {} } : { tls }),
      ...(credsFile !== undefined && { authenticator: creds(await readCreds(credsFile)) }),
      ...(authenticator && { authenticator }),
    }),
  };
}

/** Not the class `URL` alone: it knows no default port of NATS, and drops those that it knows. */
function parse(text: unknown): { protocol: string; username: string; password: string; host: string } {
  if (typeof text !== 'string') throw badServers();
  const whole = text.trim();
  const [, scheme = 'nats', rest = ''] = /^(?:(nats|tls):\/\/)?([^/]+)\/?$/.exec(whole) ?? [];
  try {
    const { protocol, username, password, hostname, port } = new URL(`${scheme}://${rest}`);
    if (rest === '' || hostname === '') throw badServers(whole);
    return {
      protocol,
      // A percent sign that stands for itself cannot be decoded.
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
      host: `${hostname}:${port || '4222'}`,
    };
  } catch {
    throw badServers(whole);
  }
}

function badServers(text?: string): TypeError {
  // A URL may hold a password, so it is not repeated.
  const which =
    text === undefined ? '' : 'one of them is no URL of NATS (a % in a password is written %25); ';
  return new TypeError(`servers: ${which}give URLs such as nats://10.0.0.1:4222 or tls://nats.example:4222`);
}

async function readCreds(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new Error(`credsFile: ${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
