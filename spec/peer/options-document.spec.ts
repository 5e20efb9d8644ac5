import { readFileSync } from 'node:fs';

import { expect } from 'chai';

import { resolveOptions } from '../../src/peer/options/options.ts';
import { optionsPage, peerLimits, peerOptions } from '../../tools/options/page.ts';
import type { Option } from '../../tools/options/page.ts';

const source = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

describe('docs/options.md', () => {
  it('is what npm run docs:options writes', () => {
    expect(source('docs/options.md')).to.equal(optionsPage());
  });

  it('has every limit, and the defaults that a peer really has', () => {
    const settings = resolveOptions({}, {});
    const { limits } = settings;
    expect(peerLimits().map(({ name }) => name)).to.have.members(Object.keys(limits));
    const wrong = [...mismatches(peerLimits(), limits), ...mismatches(peerOptions(), settings)];
    expect(wrong).to.deep.equal([]);
  });

  it('has the environment variables that a peer reads, and no other', () => {
    const files = ['options', 'option-values', 'exposure', 'network-options'];
    const code = files.map((file) => source(`src/peer/options/${file}.ts`)).join('');
    const read = [...code.matchAll(/env\('(\w+)'\)/g)].map(([, name]) => name);
    const told = peerOptions().flatMap(({ environment }) =>
      [...environment.matchAll(/`(APP_NET_\w+)`/g)].map(([, name]) => name),
    );
    expect(told).to.have.members([...new Set(read)]);
  });
});

/** Options whose stated default is not the value that they have when nobody sets them. */
function mismatches(options: readonly Option[], real: object): string[] {
  return options.flatMap(({ name, default: told }) => {
    const value = (real as Readonly<Record<string, unknown>>)[name];
    // Made afresh for each peer.
    if (name === 'id' || name === 'name') return [];
    const isPlain = ['number', 'boolean', 'string'].includes(typeof value);
    const text = typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
    const words: readonly string[] = told.match(/[\w.,]*\w/g) ?? [];
    return !isPlain || words.includes(text) ? [] : [`${name}: ${text}, not ${told}`];
  });
}
