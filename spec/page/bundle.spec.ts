import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { expect } from 'chai';
import { build } from 'esbuild';

const FILE = fileURLToPath(new URL('../../dist/page.js', import.meta.url));

/** The built `app-net/page`, minified. */
const bundle = readFileSync(FILE);

const compressed = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;

/**
 * Bytes after `gzip -9`. The plan was 14,000; `docs/decisions.md` says what the rest is spent on. Do not raise it for anything that
 * few pages need.
 */
const MOST_BYTES = 16_850;

describe('the bundle of app-net/page', () => {
  it('is small', () => {
    expect(compressed(bundle)).to.be.at.most(MOST_BYTES);
  });

  it('is as small in the bundle of an application', async () => {
    const contents = `import { connectPage } from ${JSON.stringify(FILE)}; globalThis.connectPage = connectPage;`;
    const options = { bundle: true, format: 'esm', minify: true, write: false, logLevel: 'error' } as const;
    const { outputFiles } = await build({ ...options, stdin: { contents, resolveDir: '.' } });
    expect(compressed(outputFiles[0]!.contents)).to.be.at.most(MOST_BYTES);
  });

  it('has nothing of Node in it, no ws and no XState, and imports nothing', () => {
    const text = bundle.toString();
    expect(text).to.not.match(/node:|\brequire\b|\bprocess\.|\bBuffer\.|xstate|WebSocketServer/);
    expect(text).to.not.match(/\bimport\b/);
  });
});
