import { inspect } from 'node:util';

import { expect } from 'chai';

import { systemClock } from '../../src/base/time/clock.ts';
import { RemotePeer } from '../../src/presence/set/remote-peer.ts';
import type { Calling } from '../../src/presence/set/remote-peer.ts';
import { createRecord } from '../../src/connection/link/peer-record.ts';
import { matcher, tagIn } from '../../src/presence/set/selector.ts';
import type { Selector } from '../../src/presence/set/selector.ts';
import type { Scope } from '../../src/transport/scope.ts';

interface Traits {
  name?: string;
  group?: string;
  hub?: boolean;
  scope?: Scope;
  functions?: string[];
}

const notCalled = {} as Calling;

function peer({
  name = 'p',
  group = 'main',
  hub = false,
  scope = 'host',
  functions = [],
}: Traits = {}): RemotePeer {
  const party = {
    id: 'p',
    incarnation: 'p-1',
    newestVersion: 1,
    limits: { message: 65_536, calls: 1 },
    pid: 1,
    name,
    group,
    hub,
    host: 'here',
    functions,
  };
  return new RemotePeer(createRecord(party, party.functions, scope), notCalled, systemClock);
}

const matches = (selector: Selector, traits?: Traits): boolean => matcher(selector, 'main')(peer(traits));

describe('a selector', () => {
  it('matches the own group by default', () => {
    expect(matches({})).to.equal(true);
    expect(matches({}, { group: 'gpu' })).to.equal(false);
    expect(matches({ group: undefined }, { group: 'gpu' })).to.equal(false);
  });

  it('matches the named groups, without the own one', () => {
    expect(matches({ group: 'gpu' }, { group: 'gpu' })).to.equal(true);
    expect(matches({ group: 'gpu' })).to.equal(false);
    const two: Selector = { group: ['gpu', 'cpu'] };
    expect(['gpu', 'cpu', 'main'].map((group) => matches(two, { group }))).to.deep.equal([true, true, false]);
    expect(matches({ group: [] })).to.equal(false);
  });

  it('matches every group with *', () => {
    expect(matches({ group: '*' }, { group: 'gpu' })).to.equal(true);
  });

  it('can match hubs, or all others', () => {
    expect([true, false].map((hub) => matches({ hub: true }, { hub }))).to.deep.equal([true, false]);
    expect([true, false].map((hub) => matches({ hub: false }, { hub }))).to.deep.equal([false, true]);
    expect([true, false].map((hub) => matches({}, { hub }))).to.deep.equal([true, true]);
  });

  it('can match a function, by its tag or by the function itself', () => {
    const traits = { functions: ['resize', '__proto__'] };
    expect(matches({ has: 'resize' }, traits)).to.equal(true);
    expect(matches({ has: '__proto__' }, traits)).to.equal(true);
    expect(matches({ has: 'crop' }, traits)).to.equal(false);
    expect(matches({ has: Object.assign(() => {}, { tag: 'resize' }) }, traits)).to.equal(true);
  });

  it('can match peers of this host, or of the network', () => {
    const scopes = ['host', 'lan', 'wan'] as const;
    for (const wanted of scopes) {
      expect(scopes.filter((scope) => matches({ scope: wanted }, { scope }))).to.deep.equal([wanted]);
    }
  });

  it('can match a name', () => {
    expect(['render-1', 'render-2'].map((name) => matches({ name: 'render-1' }, { name }))).to.deep.equal([
      true,
      false,
    ]);
  });

  it('matches only peers that fulfil all of its conditions', () => {
    const selector: Selector = { group: 'gpu', hub: true, has: 'resize', scope: 'host', name: 'r' };
    const traits = { group: 'gpu', hub: true, functions: ['resize'], name: 'r' };
    expect(matches(selector, traits)).to.equal(true);
    for (const other of [
      { group: 'x' },
      { hub: false },
      { functions: [] },
      { scope: 'lan' },
      { name: 'x' },
    ] satisfies Traits[]) {
      expect(matches(selector, { ...traits, ...other }), JSON.stringify(other)).to.equal(false);
    }
  });

  it('can call a function of the user for each peer, after all other conditions', () => {
    const asked: string[] = [];
    const where = ({ name }: RemotePeer): boolean => {
      asked.push(name);
      return name.startsWith('render');
    };
    expect(['render-1', 'scale-1'].map((name) => matches({ where }, { name }))).to.deep.equal([true, false]);
    expect(matches({ where }, { name: 'render-2', group: 'gpu' })).to.equal(false);
    expect(asked).to.deep.equal(['render-1', 'scale-1']);
  });

  it('throws the error of that function', () => {
    const error = new Error('mine');
    const where = (): boolean => {
      throw error;
    };
    expect(() => matches({ where })).to.throw(error);
  });

  for (const [what, where] of [
    ['a promise', () => Promise.resolve(false)],
    ['undefined', () => undefined],
    ['object', () => ({})],
    ['null', () => null],
  ] as const) {
    it(`accepts true and false from it, but not ${what}`, () => {
      expect(() => matches({ where: where as never })).to.throw(TypeError, `it returned ${what}`);
    });
  }

  it('sees the present state of a peer, and not that of its creation', () => {
    const record = createRecord(
      {
        ...{ id: 'p', incarnation: 'p-1', newestVersion: 1, limits: { message: 65_536, calls: 1 } },
        ...{ name: 'p', group: 'main', hub: false, pid: 1, host: 'here', functions: [] },
      },
      [],
      'host',
    );
    const changing = new RemotePeer(record, notCalled, systemClock);
    const test = matcher({ has: 'later' }, 'main');
    expect(test(changing)).to.equal(false);
    record.functions.add('later');
    expect(test(changing)).to.equal(true);
  });

  for (const [wrong, message] of [
    [null, 'give a selector'],
    [5, 'give a selector'],
    [[], 'give a selector'],
    [{ has: 5 }, 'has: give a tag'],
    [{ has: null }, 'has: give a tag'],
    [{ has: () => {} }, 'went through connect()'],
    [{ group: 5 }, 'group: give'],
    [{ group: ['gpu', 5] }, 'group: give'],
    [{ hub: 'true' }, 'hub: give true or false'],
    [{ scope: 'here' }, 'scope: give one of host, lan, wan'],
    [{ name: /x/ }, 'name: give'],
    [{ where: 'x' }, 'where: give a function'],
    [
      { gruop: 'gpu' },
      'a selector has no field "gruop"; did you mean group? The fields are group, hub, has,',
    ],
    [{ filter: () => true }, 'a selector has no field "filter"; the fields are group, hub, has,'],
    [JSON.parse('{"__proto__":1}'), 'a selector has no field "__proto__"'],
    [{ toString: 'x' }, 'a selector has no field "toString"'],
  ] as const) {
    it(`is refused with advice when it is invalid: ${inspect(wrong)}`, () => {
      expect(() => matcher(wrong as never, 'main')).to.throw(TypeError, message);
    });
  }
});

describe('the tag of a function', () => {
  it('is that of a connected function, or the given string', () => {
    expect(tagIn(Object.assign(() => {}, { tag: 'resize' }))).to.equal('resize');
    expect(tagIn('resize')).to.equal('resize');
  });

  it('must be a string when the function was never connected', () => {
    expect(() => tagIn((() => {}) as never)).to.throw(TypeError, 'connect()');
  });
});
