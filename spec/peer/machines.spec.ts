import { readFileSync } from 'node:fs';

import { expect } from 'chai';
import type { AnyStateMachine, StateNode } from 'xstate';

import { createCallerLogic } from '../../src/calls/caller/caller.ts';
import { connectionMachine } from '../../src/connection/connection.ts';
import { discoveryMachine } from '../../src/presence/discovery.ts';
import { createDispatcherLogic } from '../../src/calls/callee/dispatcher.ts';
import { createEventsLogic } from '../../src/events/events.ts';
import { createPeerMachine } from '../../src/peer/peer-machine.ts';
import { createLivenessLogic } from '../../src/connection/liveness.ts';
import { systemClock } from '../../src/base/time/clock.ts';
import { thisProcess } from '../../src/base/process/host-process.ts';
import { Middleware } from '../../src/calls/hooks.ts';
import { silentLog } from '../../src/base/log.ts';
import { MeasuredCalls } from '../../src/calls/call-stats.ts';
import { NEXT_STATES } from '../../src/page/states.ts';
import { Registry } from '../../src/calls/callee/registry.ts';

const nothing = (): void => {};
const registry = new Registry(() => {});
const peerMachine = createPeerMachine(
  createCallerLogic({
    measured: new MeasuredCalls(),
    clock: systemClock,
    queue: 1,
    holds: false,
    stacks: true,
    log: silentLog,
  }),
  createDispatcherLogic({
    process: thisProcess,
    id: 'a',
    measured: new MeasuredCalls(),
    registry,
    clock: systemClock,
    limits: { calls: 1, streams: 1, running: 1 },
    stacks: true,
    middleware: new Middleware(),
    log: silentLog,
    remotePeer: () => expect.fail('nobody calls'),
  }),
  createLivenessLogic({ clock: systemClock, ping: 2_000, suspect: 6_000 }),
  createEventsLogic({
    ...{ clock: systemClock, subscriptions: 1, largest: 1, stacks: true, waiting: 1, slow: 'drop' },
    ...{ log: silentLog, changed: nothing, deliver: nothing, missed: nothing, refused: nothing },
  }).logic,
);

const page = readFileSync(new URL('../../docs/states.md', import.meta.url), 'utf8');

const machines: [string, AnyStateMachine, string][] = [
  ['peer', peerMachine, '## peer'],
  ['connection', connectionMachine, '## connection:<peer id>'],
  ['discovery', discoveryMachine, '## discovery'],
];

for (const [name, machine, heading] of machines) {
  describe(`the ${name} machine`, () => {
    it('has the states that docs/states.md lists', () => {
      expect(Object.keys(machine.root.states)).to.deep.equal(
        table(heading, 'state').map(([state]) => names(state!)[0]),
      );
    });

    it('goes from each state to the states that docs/states.md lists', () => {
      for (const [state, , next] of table(heading, 'state')) {
        const listed = [...next!.matchAll(/→ ((?:(?:, )?`\w+`)+)|or `(\w+)`/g)].flatMap(([text]) =>
          names(text),
        );
        const node = machine.root.states[names(state!)[0]!]!;
        expect([...new Set(listed)], state).to.have.members([...new Set(targetsOf(node))]);
      }
    });

    it('takes the messages that docs/states.md lists', () => {
      const listed = table(heading, 'message').flatMap(([message]) => names(message!));
      const taken = machine.events.filter((each) => !each.startsWith('xstate.'));
      expect(listed).to.have.members(taken);
    });

    it('names no target, action, guard, delay or actor that does not exist', () => {
      // XState takes any string for a target, and finds out when the transition is taken.
      for (const node of nodes(machine.root)) {
        for (const transitions of [...node.transitions.values(), node.always ?? []]) {
          for (const { target, actions, guard } of transitions) {
            for (const each of target ?? []) expect(machine.root.states).to.have.property(each.key);
            for (const action of actions) known(machine.implementations.actions, action);
            if (guard) known(machine.implementations.guards, guard);
          }
        }
        for (const action of [...node.entry, ...node.exit]) known(machine.implementations.actions, action);
        for (const { src } of node.invoke) known(machine.implementations.actors, src);
        for (const { delay } of node.after)
          if (typeof delay === 'string') known(machine.implementations.delays, delay);
      }
    });

    it('reaches every state from its first one', () => {
      const reached = new Set<string>(Object.values(machine.root.initial.target ?? []).map(({ key }) => key));
      for (let size = -1; size !== reached.size;) {
        size = reached.size;
        for (const key of [...reached]) {
          for (const target of targetsOf(machine.root.states[key]!)) reached.add(target);
        }
      }
      expect([...reached]).to.have.members(Object.keys(machine.root.states));
    });
  });
}

describe('the connection of a page', () => {
  const rows = table('## page', 'state').map(([state, , next]) => [names(state!)[0]!, next!] as const);

  it('has the states that docs/states.md lists', () => {
    expect(Object.keys(NEXT_STATES)).to.deep.equal(rows.map(([state]) => state));
  });

  it('has the states of the connection machine', () => {
    expect(Object.keys(NEXT_STATES)).to.deep.equal(Object.keys(connectionMachine.root.states));
  });

  it('goes from each state to the states that docs/states.md lists', () => {
    for (const [state, next] of rows) {
      const listed = [...next.matchAll(/→ `(\w+)`/g)].map(([, name]) => name);
      expect(listed, state).to.have.members([...NEXT_STATES[state as keyof typeof NEXT_STATES]]);
    }
  });
});

/** The rows of the first table after a heading of the page whose first column has this title. */
function table(heading: string, first: string): string[][] {
  const section = page.slice(page.indexOf(`\n${heading}\n`) + heading.length);
  const [, , ...rows] = new RegExp(`^\\| ${first} .*\\n(?:\\|.*\\n)+`, 'm')
    .exec(section)![0]
    .trim()
    .split('\n');
  return rows.map((row) => row.split('|').slice(1, -1));
}

/** The names in a cell. The page shortens `connection.suspected`, `connection.trusted` to `connection.suspected`, `.trusted`. */
function names(cell: string): string[] {
  const found = [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
  return found.map((name) => (name.startsWith('.') ? found[0]!.split('.')[0] + name : name));
}

function targetsOf(node: StateNode<any, any>): string[] {
  const transitions = [...node.transitions.values(), node.always ?? []].flat();
  return transitions.flatMap(({ target }) => target ?? []).map(({ key }) => key);
}

function nodes(node: StateNode<any, any>): StateNode<any, any>[] {
  return [node, ...Object.values(node.states).flatMap((child) => nodes(child))];
}

/** A name, an object with a name, or an inline function, which needs no look-up. */
function known(implementations: object, reference: unknown): void {
  const name =
    typeof reference === 'object' && reference !== null ? (reference as { type: unknown }).type : reference;
  if (typeof name === 'string' && !name.startsWith('xstate.')) expect(implementations).to.have.property(name);
}
