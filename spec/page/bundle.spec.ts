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
const MOST_BYTES = 15_900;

describe('the bundle of app-net/page', () => {
  it('is small', () => {
    expect(compressed(bundle)).to.be.at.most(MOST_BYTES);
  });

  it('is smaller in the bundle of an application', async () => {
    const contents = `import { connectPage } from ${JSON.stringify(FILE)}; globalThis.connectPage = connectPage;`;
    const options = { bundle: true, format: 'esm', minify: true, write: false, logLevel: 'error' } as const;
    const { outputFiles } = await build({ ...options, stdin: { contents, resolveDir: '.' } });
    expect(compressed(outputFiles[0]!.contents)).to.be.at.most(MOST_BYTES - 250);
  });

  it('names its error NetError, whatever a bundler calls the class', async () => {
    const { NetError } = (await import(FILE)) as typeof import('../../src/page.ts');
    const error = new NetError('REFUSED', 'closed');
    expect([error.name, String(error)]).to.deep.equal(['NetError', 'NetError: closed']);
    expect(error).to.be.instanceOf(NetError).and.to.include({ code: 'REFUSED', ran: 'no', retriable: true });
    expect(Object.keys(error)).to.deep.equal(['code', 'ran', 'retriable', 'peer', 'tag']);
  });

  it('has a source map that leads to the sources', () => {
    const { sources, names } = JSON.parse(readFileSync(`${FILE}.map`, 'utf8')) as Record<string, string[]>;
    for (const source of sources!)
      expect(readFileSync(new URL(source, `file://${FILE}`), 'utf8')).to.not.equal('');
    expect(names).to.include.members(['NetError', 'whenDrained']);
  });

  it('has nothing of Node in it, no ws and no XState, and imports nothing', () => {
    const text = bundle.toString();
    expect(text).to.not.match(/node:|\brequire\b|\bprocess\.|\bBuffer\.|xstate|WebSocketServer/);
    expect(text).to.not.match(/\bimport\b/);
  });
});
