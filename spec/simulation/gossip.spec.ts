import { simulate } from '../../src/testing.ts';
import { expectFound } from '../support/mutants.ts';
import type { Mutant } from '../support/mutants.ts';
import { withNeighbours } from '../support/simulated-faults.ts';
import { gossipStory } from '../support/stories/gossip.ts';

const doubts = 'presence/members/doubts.ts';
const hearing = 'presence/members/hearing.ts';
const telling = 'presence/members/telling.ts';

const MUTANTS: readonly Mutant[] = [
  {
    bug: 'does not refute an accusation',
    file: doubts,
    from: 'if (!word.holds) refute(state, mark);',
    to: '',
  },
  {
    bug: 'does not end a doubt that is refuted',
    file: hearing,
    from: '  clear(state, subject);\n  if (!subject.unreachable)',
    to: '  if (!subject.unreachable)',
  },
  {
    bug: 'gives the condemned no time to refute',
    file: doubts,
    from: 'const GRACE = 250;',
    to: 'const GRACE = 0;',
  },
  {
    bug: 'tells on an accusation each time that it hears it',
    file: doubts,
    from: 'if (word.by === state.self.id || !doubtOf(state, subject).add(word)) return;',
    to: 'if (word.by === state.self.id) return;\n  doubtOf(state, subject).add(word);',
  },
  {
    bug: 'does not tell on a goodbye',
    file: hearing,
    from: "    flood(state, { type: 'left', mark, why }, from);\n",
    to: '',
  },
  {
    bug: 'tells nobody of a goodbye that was said to it',
    file: 'presence/members/links.ts',
    from: "    flood(state, { type: 'left', mark: markOf(member), why: 'stopped' }, undefined);\n",
    to: '',
  },
  {
    bug: 'does not tell on who has joined',
    file: telling,
    from: 'if (subject.member && isLeaf(subject.member)) return;',
    to: 'if ((subject.member && isLeaf(subject.member)) || from !== undefined) return;',
  },
  {
    bug: 'forgets the first of each batch of news',
    file: telling,
    from: "{ type: 'offered', fingerprints: offered }",
    to: "{ type: 'offered', fingerprints: offered.slice(1) }",
  },
  {
    bug: 'forgets who has left',
    file: 'presence/members/leaving.ts',
    from: `  state.members.entomb(subject, {
    ...{ mark, why, fingerprint: fingerprintOf(mark) },
    until: state.now + TOMBSTONE,
  });
`,
    to: '',
  },
];

describe('peers with few links', function () {
  this.timeout(300_000);

  it('hear of everybody in time, lose nobody who is there, and send no more than that takes', async () => {
    await withNeighbours(4, () => simulate({ seeds: 4 }, gossipStory(12, 5)));
  });

  for (const mutant of MUTANTS) {
    it(`are found out when one ${mutant.bug}`, async () => {
      await withNeighbours(4, () => expectFound(mutant, {}, (stories) => stories.gossipStory(12, 5)));
    });
  }
});
