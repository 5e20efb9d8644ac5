import { randomBytes } from 'node:crypto';

import { expect } from 'chai';

import { SimulatedClock } from '../../src/base/time/simulated-clock.ts';
import type { Link } from '../../src/connection/link/link.ts';
import { Guests } from '../../src/connection/guests.ts';
import { AcceptorHandshake, DiallerHandshake } from '../../src/wire/handshake/handshake.ts';
import { HandshakeFailed } from '../../src/wire/handshake/handshake-messages.ts';
import { Rights } from '../../src/wire/handshake/pass.ts';
import type { PassClaims } from '../../src/wire/handshake/pass.ts';
import { guestId, handshakeKeysOf, keyOfPass } from '../../src/wire/handshake/secret.ts';
import type { SecretKeys } from '../../src/wire/handshake/secret.ts';
import type { RevokedFrame } from '../../src/wire/revoked-frame.ts';
import { keys, options, otherKeys } from '../support/handshake.ts';
import { seeded } from '../support/random.ts';

const ORIGIN = 'https://app.example';
const SOON = Math.ceil(Date.now() / 1_000) + 3_600;

interface Pass {
  shown: string;
  key: Buffer;
}

/** Whole numbers from 0, below what is asked for. */
function belowFrom(seed: number): (most: number) => number {
  const random = seeded(seed);
  return (most) => Math.floor(random() * most);
}

let newest = 0;

function make(claims: Partial<PassClaims> = {}, by: SecretKeys = keys): Pass {
  newest += 1;
  const id = Buffer.from(String(newest).padStart(12, '0')).toString('base64url');
  const whole: PassClaims = {
    v: 1,
    kid: keys.world,
    id,
    exp: SOON,
    origins: [ORIGIN],
    may: ['a.*'],
    ...claims,
  };
  const shown = Buffer.from(JSON.stringify(whole)).toString('base64url');
  return { shown, key: keyOfPass(by.passes!, shown) };
}

describe('a pass', () => {
  let guests: Guests;
  let below: (most: number) => number;

  beforeEach(() => {
    guests = new Guests(new SimulatedClock());
    below = belowFrom(7);
  });

  /** A guest that dials, and the acceptor that it meets. */
  const meeting = ({ shown, key }: Pass, origin: string | null = ORIGIN, id = guestId(shown, 'i')) => {
    const nonce = randomBytes(32);
    const told = { ...options('guest'), keys: handshakeKeysOf(key), pass: shown, nonce };
    const dialler = new DiallerHandshake({ ...told, self: { ...told.self, id, incarnation: 'i' } });
    const acceptor = new AcceptorHandshake({
      ...options('acceptor', { nonce: randomBytes(32) }),
      guests: guests.admission(keys, origin ?? undefined),
    });
    return { dialler, acceptor };
  };

  /** Runs the handshake up to the answer that lets the guest in. */
  const enter = ({ dialler, acceptor }: ReturnType<typeof meeting>): string =>
    acceptor.receive(dialler.receive(acceptor.receive(dialler.hello()).send!).send!).send!;

  const altered = (text: string): string => {
    const at = below(text.length);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.replace(
      text[at]!,
      '',
    );
    return text.slice(0, at) + alphabet[below(alphabet.length)] + text.slice(at + 1);
  };

  const FORGERIES: Record<string, () => void> = {
    'an altered public part': () => {
      const { shown, key } = make();
      enter(meeting({ shown: altered(shown), key }));
    },
    'an altered key': () => {
      const { shown, key } = make();
      const text = key.toString('base64url');
      // Its last character has bits that mean nothing.
      const other = altered(text.slice(0, -1)) + text.at(-1);
      enter(meeting({ shown, key: Buffer.from(other, 'base64url') }));
    },
    'wider rights': () => {
      const { shown, key } = make();
      const claims = JSON.parse(Buffer.from(shown, 'base64url').toString()) as PassClaims;
      const wider = below(2) === 0 ? { may: ['*'] } : { exp: SOON + 1 + below(1e6) };
      enter(
        meeting({ shown: Buffer.from(JSON.stringify({ ...claims, ...wider })).toString('base64url'), key }),
      );
    },
    'another secret': () => enter(meeting(make({}, otherKeys))),
    'the name of another secret': () => enter(meeting(make({ kid: otherKeys.world }))),
    'the key of another pass': () => enter(meeting({ shown: make().shown, key: make().key })),
    'an expiry that is past': () => enter(meeting(make({ exp: SOON - 3_601 - below(1e6) }))),
    'a revoked pass': () => {
      const pass = make();
      guests.revoke(pass.shown);
      enter(meeting(pass));
    },
    'another origin': () =>
      enter(meeting(make(), [null, 'null', `${ORIGIN}.evil.example`, 'http://app.example'][below(4)])),
    'the id of another peer': () => enter(meeting(make(), ORIGIN, 'db-1')),
    'a recorded handshake': () => {
      const pass = make();
      const { dialler, acceptor } = meeting(pass);
      const M1 = dialler.hello();
      const M3 = dialler.receive(acceptor.receive(M1).send!).send!;
      acceptor.receive(M3);
      const again = meeting(pass).acceptor;
      again.receive(M1);
      again.receive(M3);
    },
  };

  it('lets its guest in, from the origin that it names', () => {
    expect(enter(meeting(make()))).to.include('"type":"accept"');
    expect(enter(meeting(make({ origins: undefined! }), null))).to.include('"type":"accept"');
  });

  it('cannot be forged, and a forgery costs less than a millisecond', function () {
    this.timeout(120_000);
    const rounds = process.env.SOAK ? 20_000 : 1_000;
    const before = process.cpuUsage();
    for (const [what, forge] of Object.entries(FORGERIES)) {
      for (let round = 0; round < rounds; round += 1) expect(forge, what).to.throw(HandshakeFailed);
    }
    const { user, system } = process.cpuUsage(before);
    const each = (user + system) / 1_000 / (rounds * Object.keys(FORGERIES).length);
    expect(each, 'ms of CPU for each').to.be.below(1);
  });

  it('is refused by a peer that takes none, and by one whose secret is a passphrase', () => {
    const { dialler } = meeting(make());
    const none = new AcceptorHandshake(options('acceptor'));
    expect(() => none.receive(dialler.hello())).to.throw('takes no passes');
    const admit = guests.admission({ ...secretWithoutPasses(), world: keys.world }, ORIGIN);
    const weak = new AcceptorHandshake({ ...options('acceptor'), guests: admit });
    expect(() => weak.receive(dialler.hello())).to.throw('takes no passes');
  });

  it('ends the links of its guests when it expires, and not before', () => {
    const clock = new SimulatedClock();
    guests = new Guests(clock);
    const now = Date.now();
    const ended: string[] = [];
    /** A link, as far as guests need it. */
    const linkUntil = (exp: number): Link => {
      const claims: PassClaims = { v: 1, kid: '', id: String(exp), exp };
      const breach = (why: string): void => {
        ended.push(`${exp}: ${why}`);
        guests.closed(link);
      };
      const link = { rights: new Rights(claims), breach } as unknown as Link;
      return link;
    };
    const [soon, late] = [Math.ceil(now / 1_000) + 10, Math.ceil(now / 1_000) + 40 * 86_400];
    for (const exp of [late, soon]) guests.opened(linkUntil(exp));
    const system = Date.now;
    const pass = (ms: number): void => {
      const begin = Date.now();
      Date.now = () => begin + ms;
      clock.increment(ms);
    };
    try {
      pass(9_000);
      expect(ended).to.deep.equal([]);
      pass(2_000);
      expect(ended).to.deep.equal([`${soon}: its pass has expired`]);
      // Longer than a timer can be.
      pass(39 * 86_400_000);
      expect(ended).to.have.length(1);
      pass(86_400_000);
      expect(ended.at(-1)).to.equal(`${late}: its pass has expired`);
    } finally {
      Date.now = system;
    }
  });

  it('ends the links of its guests soon after a sleep in which it expired', () => {
    const clock = new SimulatedClock();
    guests = new Guests(clock);
    const exp = Math.ceil(Date.now() / 1_000) + 3_600;
    let ended = '';
    const rights = new Rights({ v: 1, kid: '', id: 'x', exp });
    guests.opened({ rights, breach: (why: string) => (ended = why) } as unknown as Link);
    const system = Date.now;
    try {
      // The clock of timers stands still meanwhile.
      Date.now = () => system() + 8 * 3_600_000;
      clock.increment(60_000);
    } finally {
      Date.now = system;
    }
    expect(ended).to.equal('its pass has expired');
  });

  it('that was revoked is remembered only until it would have expired', () => {
    const now = Date.now;
    for (let count = 0; count < 100; count += 1) guests.revoke(make().shown);
    expect(guests.revoked).to.equal(100);
    try {
      Date.now = () => now() + 7_200_000;
      guests.revoke(make({ exp: SOON + 7_200 }).shown);
    } finally {
      Date.now = now;
    }
    expect(guests.revoked).to.equal(1);
    expect(() => guests.revoke('nonsense')).to.throw(TypeError, 'peer.pass()');
  });

  it('that was revoked is told to each peer that has the secret, once, and to those that connect later', () => {
    const [one, two, late] = [new Told(), new Told(), new Told()];
    for (const { link } of [one, two]) guests.met(link);
    const passes = [make(), make()];
    const [{ shown }] = passes as [Pass, Pass];
    const [mine, theirs] = passes.map((pass) => claimsIn(pass.shown));
    guests.revoke(shown);
    guests.revoke(shown);
    guests.told([theirs!, { id: mine!.id, exp: mine!.exp }], two.link);
    guests.met(late.link);
    expect(one.ids).to.deep.equal([[mine!.id], [theirs!.id]]);
    expect(two.ids).to.deep.equal([[mine!.id]]);
    expect(late.ids).to.deep.equal([[mine!.id, theirs!.id]]);
    guests.closed(one.link);
    guests.revoke(make().shown);
    expect([one.ids.length, late.ids.length]).to.deep.equal([2, 2]);
    for (const pass of passes) expect(() => enter(meeting(pass))).to.throw(HandshakeFailed, 'revoked');
  });

  it('that was revoked is forgotten only for 4,096 that expire later, and not for one that would never expire', () => {
    const peer = new Told();
    const pass = make({ exp: SOON - 1_800 });
    guests.revoke(pass.shown);
    const names = Array.from({ length: 4_096 }, (_, at) => `${at}`.padStart(16, '0'));
    const told = names.map((id) => ({ id, exp: SOON }));
    guests.told(told.slice(1), peer.link);
    expect(() => enter(meeting(pass))).to.throw('revoked');
    guests.told([...told, { id: 'x'.repeat(16), exp: 2 ** 52 }, { id: 'y'.repeat(16), exp: 1 }], peer.link);
    expect(guests.revoked).to.equal(4_096);
    enter(meeting(pass));
    guests.met(peer.link);
    expect(peer.ids.map(({ length }) => length)).to.deep.equal([1_024, 1_024, 1_024, 1_024]);
    expect(peer.ids.flat()).to.have.members(names);
  });

  it('that was revoked is told of without end by nobody, also where every peer remembers as many as it can', () => {
    const group = Array.from({ length: 4 }, () => new Guests(new SimulatedClock()));
    const early = Math.floor(Date.now() / 1_000) + 100;
    const waiting: (() => void)[] = [];
    const links = new Map<Guests, Map<Guests, Link>>(group.map((each) => [each, new Map()]));
    for (const own of group) {
      for (const other of group) {
        if (other === own) continue;
        const send = (text: string): void => {
          const { passes } = JSON.parse(text) as RevokedFrame;
          waiting.push(() => other.told(passes, links.get(other)!.get(own)!));
        };
        links.get(own)!.set(other, { send } as unknown as Link);
      }
    }
    // Half of them end together: those that are forgotten must be the same everywhere, in whatever order they came.
    const names = (letter: string): { id: string; exp: number }[] =>
      Array.from({ length: 2_048 }, (_, at) => ({ id: `${letter}${at}`.padStart(16, '0'), exp: SOON }));
    const [a, b] = [names('a'), names('b')];
    for (const [at, own] of group.entries()) {
      for (const link of links.get(own)!.values()) own.met(link);
      own.told(at % 2 === 0 ? [...a, ...b] : [...b, ...a], {} as Link);
    }
    waiting.length = 0;
    group[0]!.revoke(make({ exp: early }).shown);
    group[1]!.revoke(make().shown);
    let steps = 0;
    while (waiting.length > 0 && steps < 1_000) {
      steps += 1;
      waiting.shift()!();
    }
    expect(steps).to.be.below(20);
    const kept = group.map((own) => {
      const late = new Told();
      own.met(late.link);
      return late.ids.flat().toSorted();
    });
    for (const each of kept) expect(each).to.deep.equal(kept[0]);
  });

  it('that was revoked stays so until its end, although another end was told first', () => {
    const peer = new Told();
    const pass = make();
    const { id } = claimsIn(pass.shown);
    guests.told([{ id, exp: Math.floor(Date.now() / 1_000) + 5 }], peer.link);
    const other = new Told();
    guests.met(other.link);
    guests.revoke(pass.shown);
    guests.revoke(pass.shown);
    expect(other.ids).to.deep.equal([[id], [id]]);
    const now = Date.now;
    try {
      Date.now = () => now() + 60_000;
      guests.met(new Told().link);
      expect(() => enter(meeting(pass))).to.throw('revoked');
    } finally {
      Date.now = now;
    }
  });
});

function secretWithoutPasses(): SecretKeys {
  const { dialler, acceptor, rings } = keys;
  return { dialler, acceptor, rings, world: '', hints: undefined, relay: undefined, passes: undefined };
}

/** A link to a peer that has the secret, and the names of passes in each frame that it was sent. */
class Told {
  readonly ids: string[][] = [];
  readonly link = {
    send: (text: string) => {
      const { type, passes } = JSON.parse(text) as RevokedFrame;
      expect(type).to.equal('revoked');
      this.ids.push(passes.map(({ id }) => id));
    },
  } as unknown as Link;
}

function claimsIn(shown: string): PassClaims {
  return JSON.parse(Buffer.from(shown, 'base64url').toString()) as PassClaims;
}
