import { readFileSync } from 'node:fs';

import { expect } from 'chai';

import { NetError, isNetErrorCode } from '../../src/base/errors.ts';
import type { NetErrorCode } from '../../src/base/errors.ts';

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

// Exhaustive by its type.
const CODES = Object.keys({
  NOT_SENT: true,
  REFUSED: true,
  OVERLOADED: true,
  NO_SUCH_TAG: true,
  NOT_SERIALIZABLE: true,
  TOO_LARGE: true,
  BAD_REQUEST: true,
  UNAUTHENTICATED: true,
  ID_TAKEN: true,
  INSECURE: true,
  DEADLINE_EXCEEDED: true,
  CONNECTION_LOST: true,
  THREAD_LOST: true,
  CANCELLED: true,
  STOPPED: true,
} satisfies Record<NetErrorCode, true>) as NetErrorCode[];

/** The rows of the table of codes. */
const rows = text
  .split('\n')
  .map((line) => /^\| `([A-Z_]+)` +\| `(\w+)` +\| (yes|no) /.exec(line))
  .filter((row) => row !== null)
  .map(([, code, ran, retriable]) => ({ code, ran, retriable: retriable === 'yes' }));

/** The section of each code. */
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);

describe('docs/errors.md', () => {
  it('has a row and a section for each code, and for no other', () => {
    expect(rows.map(({ code }) => code)).to.deep.equal(CODES);
    expect([...sections.keys()]).to.deep.equal(CODES);
    expect(CODES.every((code) => isNetErrorCode(code))).to.equal(true);
  });

  for (const { code, ran, retriable } of rows) {
    it(`describes ${code} as the error class does`, () => {
      const error = new NetError(code as NetErrorCode, 'message');
      expect({ ran: error.ran, retriable: error.retriable }).to.deep.equal({ ran, retriable });
    });

    it(`tells what to do about ${code}`, () => {
      const paragraphs = sections.get(code!)!.trim().split('\n\n');
      expect(paragraphs.length, 'a heading, what happened, what to do').to.be.at.least(2);
    });
  }

  it('tells where a code can say more precisely whether the function ran', () => {
    // The library also throws these, in addition to the rows of the table.
    const known: [NetErrorCode, string][] = [
      ['OVERLOADED', 'yes'],
      ['NOT_SERIALIZABLE', 'yes'],
      ['TOO_LARGE', 'yes'],
      ['DEADLINE_EXCEEDED', 'no'],
      ['DEADLINE_EXCEEDED', 'yes'],
      ['CONNECTION_LOST', 'yes'],
      ['THREAD_LOST', 'no'],
      ['THREAD_LOST', 'yes'],
    ];
    for (const [code, ran] of known) expect(sections.get(code), code).to.include(`\`ran: '${ran}'`);
  });
});

describe('README.md', () => {
  it('names every code, and no other', () => {
    const from = readme.indexOf('| `code`');
    const table = readme.slice(from, readme.indexOf('\n\n', from));
    const named = [...table.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code!);
    expect(named.filter((code) => !isNetErrorCode(code))).to.deep.equal([]);
    expect(CODES.filter((code) => !named.includes(code))).to.deep.equal(['CANCELLED']);
  });
});
