import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'chai';

import { need, skip } from './need.ts';

const SPEC = join(import.meta.dirname, '..');

describe('a spec that needs what is not here', () => {
  const { log } = console;
  const ci = process.env['CI'];
  let printed: unknown[] = [];
  const skipped = new Error('skipped');
  const test = {
    skip() {
      throw skipped;
    },
  } as unknown as Mocha.Context;

  beforeEach(() => {
    printed = [];
    console.log = (text) => void printed.push(text);
  });
  afterEach(() => {
    console.log = log;
    if (ci === undefined) delete process.env['CI'];
    else process.env['CI'] = ci;
  });

  it('is skipped, and says what is missing', () => {
    delete process.env['CI'];
    need(test, true, 'water');
    expect(printed).to.deep.equal([]);
    expect(() => need(test, undefined, 'water')).to.throw(skipped.message);
    expect(printed).to.deep.equal(['      (skipped: this needs water)']);
  });

  it('fails where CI is set', () => {
    process.env['CI'] = 'true';
    const cause = new Error('no well');
    expect(() => need(test, false, 'water', cause))
      .to.throw('this needs water')
      .with.property('cause', cause);
    expect(() => skip(test, 'fish need no bicycle')).to.throw(skipped.message);
    expect(printed).to.deep.equal(['      (skipped: fish need no bicycle)']);
  });

  it('is skipped in no other way', () => {
    // Also a test without a function, which mocha calls pending, and a test that is all that runs.
    const silent =
      /\.skip\(|\b(?:describe|context|it)\.(?:skip|only)\b|\bx(?:it|describe)\(|^\s*it\('[^']*'\)/m;
    const files = readdirSync(SPEC, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const own = new Set(['need.ts', 'need.spec.ts'].map((file) => join('support', file)));
    const found = files.filter(
      (file) => !own.has(file) && silent.test(readFileSync(join(SPEC, file), 'utf8')),
    );
    expect(found, 'skip with `need` or `skip` of support/need.ts, which print the reason').to.deep.equal([]);
  });
});
