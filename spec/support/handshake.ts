import type { Description } from '../../src/wire/frames.ts';
import type { Presence } from '../../src/wire/presence-frames.ts';
import { AcceptorHandshake, DiallerHandshake } from '../../src/wire/handshake/handshake.ts';
import type { HandshakeOptions, Result } from '../../src/wire/handshake/handshake.ts';
import type { Binding } from '../../src/wire/handshake/proof.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import type { SecretKeys } from '../../src/wire/handshake/secret.ts';

type Options = HandshakeOptions & { to: string };
export type Name = 'M1' | 'M2' | 'M3' | 'M4' | 'M5';
export type Change = (text: string, name: Name) => string;

export let keys: SecretKeys;
export let otherKeys: SecretKeys;

// Not awaited at the top: a module that is would be loaded in another way, and everything it imports a second time.
before(async () => {
  keys = await deriveKeys(makeSecret());
  otherKeys = await deriveKeys(makeSecret());
});
export const binding: Binding = { kind: 'loopback', data: Buffer.from('127.0.0.1:4000') };

export const description = (name: string, functions = ['one', 'two']): Description => ({
  name,
  group: 'main',
  hub: false,
  pid: 7,
  host: 'here',
  functions,
});

/** What a side that tells nothing of its presence counts as. */
export const untold: Presence = { started: 0, version: 1, addresses: [], digest: '' };

/** The nonces are fixed, one for each id, so that a failure can be looked at twice. */
export function options(id: string, changes: Partial<Options> = {}, told = description(id)): Options {
  const self = {
    id,
    incarnation: `${id}-1`,
    limits: { message: 65_536, calls: id.length, subscriptions: id.length },
    describe: () => told,
  };
  return { self, keys, binding, nonce: Buffer.alloc(32, id), to: '', ...changes };
}

export const dialler = (...[changes, told]: [Partial<Options>?, Description?]): DiallerHandshake =>
  new DiallerHandshake(options('dialler', changes, told));
export const acceptor = (...[changes, told]: [Partial<Options>?, Description?]): AcceptorHandshake =>
  new AcceptorHandshake(options('acceptor', changes, told));

export interface Exchange {
  texts: Record<Name, string>;
  dialler: Result;
  acceptor: Result;
}

/** All five messages, each on its way through `change`. */
export function exchange(from = dialler(), to = acceptor(), change: Change = (text) => text): Exchange {
  const M1 = change(from.hello(), 'M1');
  const M2 = change(to.receive(M1).send!, 'M2');
  const M3 = change(from.receive(M2).send!, 'M3');
  const M4 = change(to.receive(M3).send!, 'M4');
  const step = from.receive(M4);
  const M5 = change(step.send!, 'M5');
  return { texts: { M1, M2, M3, M4, M5 }, dialler: step.done!, acceptor: to.receive(M5).done! };
}

export const only =
  (name: Name, change: (text: string) => string): Change =>
  (text, each) =>
    each === name ? change(text) : text;
