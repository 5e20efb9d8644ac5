import { expect } from 'chai';

import { evaluationUnderWay, replacesEvaluation } from '../../src/base/reload/evaluation.ts';

const atTopLevel = evaluationUnderWay();

/** Whole modules that are evaluated again are in e2e/reloads.spec.ts. */
describe('an evaluation of a module', () => {
  it('is under way at the top level only', () => {
    expect(atTopLevel).to.include({ file: import.meta.filename });
    expect(evaluationUnderWay()).to.equal(undefined);
  });

  it('takes the place of one whose query has a lower number, and of no other', () => {
    const replaces = (now: string, before: string): boolean =>
      replacesEvaluation({ file: 'a', run: now }, { file: 'a', run: before });
    const later = [
      ['?t=2', '?t=1'],
      ['?t=10', '?t=9'],
      ['?t=1', ''],
      ['?1764290000000', ''],
      ['?2', '?1'],
      ['?import&t=6', '?import&t=5'],
    ] as const;
    for (const [now, before] of later) {
      expect(replaces(now, before), `${now} after ${before}`).to.equal(true);
      expect(replaces(before, now), `${before} after ${now}`).to.equal(false);
    }
    const apart = [
      ['', ''],
      ['?t=1', '?t=1'],
      ['?a', ''],
      ['?a', '?b'],
      ['?v=1a2', '?v=1a1'],
      ['?v=2&t=2', '?v=1&t=1'],
      ['?a=2', '?b=1'],
    ] as const;
    for (const [now, before] of apart) {
      expect(replaces(now, before), `${now} after ${before}`).to.equal(false);
      expect(replaces(before, now), `${before} after ${now}`).to.equal(false);
    }
  });

  it('takes the place of an earlier run of the same text', () => {
    const run = {};
    expect(replacesEvaluation({ file: 'a', run: {} }, { file: 'a', run })).to.equal(true);
    expect(replacesEvaluation({ file: 'a', run }, { file: 'a', run })).to.equal(false);
    expect(replacesEvaluation({ file: 'a', run }, { file: 'a', run: '?t=1' })).to.equal(false);
  });
});
