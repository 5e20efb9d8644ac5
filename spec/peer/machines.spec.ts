import { expect } from 'chai';
import type { AnyStateMachine, StateNode } from 'xstate';

import { createCallerLogic } from '../../src/calls/caller/caller.ts';
import { connectionMachine } from '../../src/connection/connection.ts';
import { discoveryMachine } from '../../src/presence/discovery.ts';
import { createDispatcherLogic } from '../../src/calls/callee/dispatcher.ts';
import { createEventsLogic } from '../../src/events/events.ts';
import { createPeerMachine } from '../../src/peer/peer-machine.ts';
import { createLivenessLogic } from '../../src/connection/liveness.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Middleware } from '../../src/calls/hooks.ts';
import { silentLog } from '../../src/base/log.ts';
import { Registry } from '../../src/calls/callee/registry.ts';

const nothing = (): void => {};
const registry = new Registry(() => {});
const peerMachine = createPeerMachine(
  createCallerLogic({ clock: systemClock, queue: 1, holds: false, stacks: true, log: silentLog }),
  createDispatcherLogic({
    registry,
    clock: systemClock,
    limits: { calls: 1, streams: 1, running: 1 },
    stacks: true,
    middleware: new Middleware(),
    remotePeer: () => expect.fail('nobody calls'),
  }),
  createLivenessLogic({ clock: systemClock, ping: 2_000, suspect: 6_000 }),
  createEventsLogic({
    ...{ clock: systemClock, subscriptions: 1, largest: 1, stacks: true, waiting: 1, slow: 'drop' },
    ...{ log: silentLog, changed: nothing, deliver: nothing, missed: nothing, refused: nothing },
  }).logic,
);

const machines: [string, AnyStateMachine, string[]][] = [
  ['peer', peerMachine, ['starting', 'online', 'draining', 'stopped', 'failed']],
  [
    'connection',
    connectionMachine,
    ['waiting', 'dialing', 'authenticating', 'open', 'suspect', 'draining', 'closed'],
  ],
  ['discovery', discoveryMachine, ['searching', 'settled']],
];

for (const [name, machine, states] of machines) {
  describe(`the ${name} machine`, () => {
    it('has the states that docs/states.md names', () => {
      expect(Object.keys(machine.root.states)).to.deep.equal(states);
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
          const node = machine.root.states[key]!;
          for (const transitions of [...node.transitions.values(), node.always ?? []]) {
            for (const { target } of transitions) for (const each of target ?? []) reached.add(each.key);
          }
        }
      }
      expect([...reached]).to.have.members(states);
    });
  });
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
