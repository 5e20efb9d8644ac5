import { inspect } from 'node:util';

import { expect } from 'chai';

import { systemClock } from '../../src/base/clock.ts';
import { RemotePeer } from '../../src/presence/remote-peer.ts';
import type { Calling } from '../../src/presence/remote-peer.ts';
import { createRecord } from '../../src/connection/peer-record.ts';
import { matcher, tagIn } from '../../src/presence/selector.ts';
import type { Selector } from '../../src/presence/selector.ts';
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
  return new RemotePeer(createRecord(party, scope), notCalled, systemClock);
}

const matches = (selector: Selector, traits?: Traits): boolean => matcher(selector, 'main')(peer(traits));

describe('a selector', () => {
  it('means the own group when it names none', () => {
    expect(matches({})).to.equal(true);
    expect(matches({}, { group: 'gpu' })).to.equal(false);
    expect(matches({ group: undefined }, { group: 'gpu' })).to.equal(false);
  });

  it('means the groups that it names, and not the own one besides', () => {
    expect(matches({ group: 'gpu' }, { group: 'gpu' })).to.equal(true);
    expect(matches({ group: 'gpu' })).to.equal(false);
    const two: Selector = { group: ['gpu', 'cpu'] };
    expect(['gpu', 'cpu', 'main'].map((group) => matches(two, { group }))).to.deep.equal([true, true, false]);
    expect(matches({ group: [] })).to.equal(false);
  });

  it('means every group when it says *', () => {
    expect(matches({ group: '*' }, { group: 'gpu' })).to.equal(true);
  });

  it('can ask for hubs, or for the others', () => {
    expect([true, false].map((hub) => matches({ hub: true }, { hub }))).to.deep.equal([true, false]);
    expect([true, false].map((hub) => matches({ hub: false }, { hub }))).to.deep.equal([false, true]);
    expect([true, false].map((hub) => matches({}, { hub }))).to.deep.equal([true, true]);
  });

  it('can ask for a function, by its tag or by itself', () => {
    const traits = { functions: ['resize', '__proto__'] };
    expect(matches({ has: 'resize' }, traits)).to.equal(true);
    expect(matches({ has: '__proto__' }, traits)).to.equal(true);
    expect(matches({ has: 'crop' }, traits)).to.equal(false);
    expect(matches({ has: Object.assign(() => {}, { tag: 'resize' }) }, traits)).to.equal(true);
  });

  it('can ask for peers of this host, or of the network', () => {
    const scopes = ['host', 'lan', 'wan'] as const;
    for (const wanted of scopes) {
      expect(scopes.filter((scope) => matches({ scope: wanted }, { scope }))).to.deep.equal([wanted]);
    }
  });

  it('can ask for a name', () => {
    expect(['render-1', 'render-2'].map((name) => matches({ name: 'render-1' }, { name }))).to.deep.equal([
      true,
      false,
    ]);
  });

  it('asks for everything it says at once', () => {
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

  it('can ask a function of the user about each peer, after everything else', () => {
    const asked: string[] = [];
    const where = ({ name }: RemotePeer): boolean => {
      asked.push(name);
      return name.startsWith('render');
    };
    expect(['render-1', 'scale-1'].map((name) => matches({ where }, { name }))).to.deep.equal([true, false]);
    expect(matches({ where }, { name: 'render-2', group: 'gpu' })).to.equal(false);
    expect(asked).to.deep.equal(['render-1', 'scale-1']);
  });

  it('throws what that function throws', () => {
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
    it(`takes true and false from it, and not ${what}`, () => {
      expect(() => matches({ where: where as never })).to.throw(TypeError, `it returned ${what}`);
    });
  }

  it('sees what a peer has when it is asked, not when it was made', () => {
    const record = createRecord(
      {
        ...{ id: 'p', incarnation: 'p-1', newestVersion: 1, limits: { message: 65_536, calls: 1 } },
        ...{ name: 'p', group: 'main', hub: false, pid: 1, host: 'here', functions: [] },
      },
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
    [{ gruop: 'gpu' }, 'a selector has no "gruop"; did you mean group? there is group, hub, has,'],
    [{ filter: () => true }, 'a selector has no "filter"; there is group, hub, has,'],
    [JSON.parse('{"__proto__":1}'), 'a selector has no "__proto__"'],
    [{ toString: 'x' }, 'a selector has no "toString"'],
  ] as const) {
    it(`is refused when it is none, with what to give instead: ${inspect(wrong)}`, () => {
      expect(() => matcher(wrong as never, 'main')).to.throw(TypeError, message);
    });
  }
});

describe('the tag of a function', () => {
  it('is that of a connected function, or the text itself', () => {
    expect(tagIn(Object.assign(() => {}, { tag: 'resize' }))).to.equal('resize');
    expect(tagIn('resize')).to.equal('resize');
  });

  it('is asked for by name when the function was never connected', () => {
    expect(() => tagIn((() => {}) as never)).to.throw(TypeError, 'connect()');
  });
});
