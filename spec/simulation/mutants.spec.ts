import { FAULTS as faults } from '../support/simulated-faults.ts';
import { expectFound } from '../support/mutants.ts';
import type { Mutant, Stories } from '../support/mutants.ts';

interface Planted extends Mutant {
  /** The story that notices it. */
  readonly story: Exclude<keyof Stories, 'simulate' | 'gossipStory'>;
}

const MUTANTS: readonly Planted[] = [
  {
    bug: 'repeats a call that may have run, though its function is not idempotent',
    file: 'many/retry.ts',
    from: 'lost ? this.#idempotent && this.#losses',
    to: 'lost ? this.#losses',
    story: 'callsStory',
  },
  {
    bug: 'says that a call did not run, when its answer was lost',
    file: 'calls/caller/outgoing-calls.ts',
    from: "call.reader && { ran: 'yes' });",
    to: "{ ran: 'no' });",
    story: 'callsStory',
  },
  {
    bug: 'sends unanswered calls again on the next link',
    file: 'calls/caller/outgoing-calls.ts',
    from: "      this.fail(call, 'CONNECTION_LOST', message, call.reader && { ran: 'yes' });",
    to: `      call.link = undefined;
      waitingFor(call.record).push(call);
      this.#counters.waiting += 1;
      this.#queues.add(call.record);
      this.wantLink(call.record);`,
    story: 'callsStory',
  },
  {
    bug: 'loses the wake-up of an alarm that has rung once',
    file: 'base/time/alarm.ts',
    from: '      this.#at = Infinity;\n      this.#ring();',
    to: '      this.#ring();',
    story: 'callsStory',
  },
  {
    bug: 'does not go on with a stream when there is credit again',
    file: 'calls/streams/stream-writer.ts',
    from: '    this.#bytes += bytes;\n    this.start();',
    to: '    this.#bytes += bytes;',
    story: 'streamsStory',
  },
  {
    bug: 'ends a stream without an error when its link is lost',
    file: 'calls/caller/outgoing-calls.ts',
    from: '      const message = lostMessage(',
    to: '      call.reader?.complete(undefined);\n      const message = lostMessage(',
    story: 'streamsStory',
  },
  {
    bug: 'forgets the values that wait when a stream ends',
    file: 'calls/streams/stream-reader.ts',
    from: '  next(): Promise<Step> {\n',
    to: '  next(): Promise<Step> {\n    if (this.#end) return this.#takeEnd();\n',
    story: 'streamsStory',
  },
  {
    bug: 'tells of no gap after the connection was lost for a while',
    file: 'events/interests.ts',
    from: "if (!source.byName && sequence > last) this.#missed(source, record, 'disconnected', sequence - last);",
    to: '',
    story: 'eventsStory',
  },
  {
    bug: 'does not subscribe again on the next link',
    file: 'events/interests.ts',
    from: 'const sources = [...asked.sources, ...asked.waiting];',
    to: 'const sources = [...asked.waiting];',
    story: 'eventsStory',
  },
  {
    bug: 'reports a second join, of a peer that is restarted before it was missed',
    file: 'presence/members/hearing.ts',
    from: "  if (known) depart(state, subject, 'replaced');\n",
    to: '',
    story: 'presenceStory',
  },
  {
    bug: 'says no goodbye to those that join while it stops',
    file: 'connection/dial/handshaking.ts',
    from: 'if (isKnown) {',
    to: 'if (isKnown && dialled) {',
    story: 'stopsStory',
  },
  {
    bug: 'takes calls after its goodbye',
    file: 'connection/link/link.ts',
    from: "this.refusing = reason === 'stopped';",
    to: '',
    story: 'stopsStory',
  },
  {
    bug: 'ends its connections before the calls on them are answered',
    file: 'connection/link/link.ts',
    from: '(this.taken?.unsettled ?? 0) + this.socket',
    to: 'this.socket',
    story: 'stopsStory',
  },
];

describe('a simulation of the library with a bug', function () {
  this.timeout(120_000);

  for (const mutant of MUTANTS) {
    it(`notices within 100 seeds that it ${mutant.bug}`, async () => {
      const { story } = mutant;
      await expectFound(mutant, story === 'stopsStory' ? {} : { faults }, (stories) =>
        stories[story](4, 8_000),
      );
    });
  }
});
