import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Driver } from './driver.ts';
import { counterpart, programs } from './programs.ts';
import type { Pair, Scenario } from './scenario.ts';
import { calls } from './scenarios/calls.ts';
import { events } from './scenarios/events.ts';
import { presence } from './scenarios/presence.ts';
import { streams } from './scenarios/streams.ts';
import { values } from './scenarios/values.ts';
import { skip } from '../support/need.ts';

/** Each implementation of the protocol against a Node peer, in both directions, as far as it says it goes. */

const scenarios: { [subject: string]: Scenario[] } = { values, calls, streams, events };

describe('conformance', () => {
  for (const [name, find] of Object.entries(programs)) {
    describe(name, function () {
      this.timeout(120_000);
      let folder: string;
      let subject: Driver;
      let node: Driver;

      before(async function () {
        const program = await find(this);
        folder = await mkdtemp(join(tmpdir(), 'app-net-conformance-'));
        [subject, node] = [new Driver({ ...program, name }), new Driver(counterpart())];
        await prepare(node, { directory: folder, pages: true });
        await prepare(subject, { directory: folder }, node);
        await node.notice({ notice: 'joined', peer: subject.id });
        await subject.notice({ notice: 'joined', peer: node.id });
      });

      after(async () => {
        await Promise.all([subject?.kill(), node?.kill()]);
        if (folder) await rm(folder, { recursive: true, force: true });
      });

      for (const direction of ['called by Node', 'calling Node']) {
        describe(direction, () => {
          const pair = (): Pair =>
            direction === 'calling Node'
              ? { caller: subject, callee: node }
              : { caller: node, callee: subject };
          for (const [about, each] of Object.entries(scenarios)) {
            describe(about, () => {
              for (const scenario of each) {
                it(scenario.title, async function () {
                  const lacks = lacking(scenario, pair());
                  if (lacks) skip(this, lacks);
                  await scenario.run(pair());
                });
              }
            });
          }
        });
      }

      describe('presence', () => {
        for (const { title, needs, run } of presence) {
          it(title, async function () {
            const lacks = needs.find((need) => !subject.capabilities.has(need));
            if (lacks) skip(this, `${name} lacks ${lacks}`);
            await run({ name, program: await find(this), subject, node, folder });
          });
        }
      });
    });
  }
});

/** @param host lets a guest in, that is an implementation which takes a pass */
async function prepare(driver: Driver, start: object, host?: Driver): Promise<void> {
  const described = await driver.do<{ capabilities: string[]; origin?: string }>('describe');
  driver.capabilities = new Set(described.capabilities);
  const origins = described.origin ? { origins: [described.origin] } : {};
  const way = driver.capabilities.has('pass') ? await host?.do<object>('admit', origins) : start;
  driver.id = await driver.do<string>('start', { name: driver.name, ...way });
  if (driver.capabilities.has('serve')) await driver.do('serve');
}

/** In words, what one of the two cannot do. */
function lacking(scenario: Scenario, { caller, callee }: Pair): string | undefined {
  const sides = [
    [caller, ['call', ...(scenario.caller ?? [])]],
    [callee, ['serve', ...(scenario.callee ?? [])]],
  ] as const;
  for (const [driver, needs] of sides) {
    const lacks = needs.find((need) => !driver.capabilities.has(need));
    if (lacks) return `${driver.name} lacks ${lacks}`;
  }
  return undefined;
}
