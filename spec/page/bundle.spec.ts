import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { expect } from 'chai';

/** The built `app-net/page`, minified. */
const bundle = readFileSync(new URL('../../dist/page.js', import.meta.url));

/**
 * Bytes after `gzip -9`. The plan was 14,000; `docs/decisions.md` says what the rest is spent on. Do not raise it for anything that
 * few pages need.
 */
const MOST_BYTES = 18_500;

describe('the bundle of app-net/page', () => {
  it('is small', () => {
    expect(gzipSync(bundle, { level: 9 }).length).to.be.at.most(MOST_BYTES);
  });

  it('has nothing of Node in it, no ws and no XState, and imports nothing', () => {
    const text = bundle.toString();
    expect(text).to.not.match(/node:|\brequire\b|\bprocess\.|\bBuffer\.|xstate|WebSocketServer/);
    expect(text).to.not.match(/\bimport\b/);
  });
});
