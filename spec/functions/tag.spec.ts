import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { encodeTag, readableTag } from '../../src/base/tag.ts';
import { moduleOf } from '../../src/functions/module-name.ts';

const site = (file: string) => ({ file, line: 1, column: 1 });

describe('a derived tag', () => {
  it('is the base64 of module and name, in the alphabet of URLs', () => {
    // The example of the protocol page.
    expect(encodeTag('my-app/math', 'multiplyValues')).to.equal('bXktYXBwL21hdGgubXVsdGlwbHlWYWx1ZXM');
    expect(encodeTag('???', '>>>')).to.match(/^[\w-]+$/);
  });

  it('decodes into its module and name', () => {
    const word = fc.stringMatching(/^[\w$@/-]{1,40}$/);
    fc.assert(
      fc.property(fc.stringMatching(/^[\w@/-]{4,40}$/), word, (module, name) => {
        expect(readableTag(encodeTag(module, name))).to.equal(`${module}.${name}`);
      }),
    );
  });

  it('decodes in every script', () => {
    expect(readableTag(encodeTag('приложение/счёт', 'умножить'))).to.equal('приложение/счёт.умножить');
  });
});

describe('a tag that was given by hand', () => {
  for (const tag of ['img.resize@1', 'resize', 'resize_image', 'multiplyValues', '__proto__', 'ab', '']) {
    it(`is readable as it is: ${JSON.stringify(tag)}`, () => {
      expect(readableTag(tag)).to.equal(tag);
    });
  }

  it('stays as it is when its decoded form would garble a terminal', () => {
    for (const text of [
      'a.b\u001b[31m',
      'abcdef.\n',
      'abc\u007f.name',
      'no separator in here',
      'abcdefgh.',
    ]) {
      const tag = Buffer.from(text).toString('base64url');
      expect(readableTag(tag)).to.equal(tag);
    }
  });

  it('stays as it is when it is base64 of something other than text', () => {
    const tag = Buffer.from([0xff, 0xfe, 0x2e, 0xff, 0x2e, 0x61, 0x62]).toString('base64url');
    expect(readableTag(tag)).to.equal(tag);
  });
});

describe('the module of a file', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'app-net-spec-')));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function put(path: string, content: unknown): Promise<void> {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
  }

  it('is the name of its package and its path in the package, without the extension', async () => {
    await put('package.json', { name: 'my-app' });
    expect(moduleOf(site(join(folder, 'lib', 'math.test.ts')))).to.equal('my-app/lib/math.test');
    expect(moduleOf(site(join(folder, 'main.mjs')))).to.equal('my-app/main');
    expect(moduleOf(site(join(folder, 'bin', 'run')))).to.equal('my-app/bin/run');
  });

  it('has the scope of the package', async () => {
    await put('package.json', { name: '@me/my-app' });
    expect(moduleOf(site(join(folder, 'math.ts')))).to.equal('@me/my-app/math');
  });

  it('is that of the nearest package', async () => {
    await put('package.json', { name: 'outer' });
    await put('node_modules/inner/package.json', { name: 'inner' });
    expect(moduleOf(site(join(folder, 'node_modules', 'inner', 'a', 'b.js')))).to.equal('inner/a/b');
  });

  it('is that of a package further up when a package.json has no name, or is invalid', async () => {
    await put('package.json', { name: 'outer' });
    await put('dist/package.json', { type: 'module' });
    await put('broken/package.json', '{');
    await put('odd/package.json', { name: 5 });
    for (const sub of ['dist', 'broken', 'odd']) {
      expect(moduleOf(site(join(folder, sub, 'a.js')))).to.equal(`outer/${sub}/a`);
    }
  });

  it('is named after its folder when there is no package', function () {
    expect(moduleOf(site(join(folder, 'a.js')))).to.equal(`${basename(folder)}/a`);
  });

  it('is the same for all code without a file', () => {
    for (const each of [
      undefined,
      site('[eval]'),
      site('[eval1]'),
      site('/some/where/[eval1]'),
      site('REPL1'),
      site('node:internal/x'),
    ]) {
      expect(moduleOf(each)).to.equal('main');
    }
  });
});
