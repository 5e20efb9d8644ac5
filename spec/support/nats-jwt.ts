import { createHash } from 'node:crypto';

import { nkeys } from '@nats-io/transport-node';

/** Operators, accounts and users of NATS, as `nsc` makes them: JSON web tokens, each signed by the one above. */

type KeyPair = ReturnType<typeof nkeys.createUser>;

const base64url = (data: string | Uint8Array): string => Buffer.from(data).toString('base64url');

function token(of: KeyPair, by: KeyPair, name: string, nats: object, exp?: number): string {
  const claims = {
    ...{ iat: Math.floor(Date.now() / 1_000), iss: by.getPublicKey(), name, sub: of.getPublicKey() },
    ...(exp !== undefined && { exp }),
    nats: { ...nats, version: 2 },
  };
  const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex');
  const parts = [
    { typ: 'JWT', alg: 'ed25519-nkey' },
    { jti, ...claims },
  ];
  const text = parts.map((part) => base64url(JSON.stringify(part))).join('.');
  return `${text}.${base64url(by.sign(Buffer.from(text)))}`;
}

const NO_LIMIT = { subs: -1, data: -1, payload: -1 };

/** An operator with one account. */
export class NatsOperator {
  readonly #operator = nkeys.createOperator();
  readonly #account = nkeys.createAccount();

  /** What its server has to know. */
  get configuration(): string {
    const operator = token(this.#operator, this.#operator, 'operator', { type: 'operator' });
    const limits = { ...NO_LIMIT, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
    const account = token(this.#account, this.#operator, 'account', {
      ...{ type: 'account', limits },
      default_permissions: { pub: {}, sub: {} },
    });
    return [
      `operator: ${operator}`,
      'resolver: MEMORY',
      `resolver_preload: { ${this.#account.getPublicKey()}: ${account} }`,
    ].join('\n');
  }

  /** The contents of a credentials file. @param exp when it expires, in s since 1970 */
  user(permissions: { pub?: object; sub?: object } = {}, exp?: number): string {
    const user = nkeys.createUser();
    const nats = { pub: {}, sub: {}, ...NO_LIMIT, ...permissions, type: 'user' };
    const parts = [
      ['NATS USER JWT', token(user, this.#account, 'user', nats, exp)],
      ['USER NKEY SEED', Buffer.from(user.getSeed()).toString()],
    ];
    return parts
      .map(([name, text]) => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n`)
      .join('\n');
  }
}
