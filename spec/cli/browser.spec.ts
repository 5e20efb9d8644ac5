import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';

import { openBrowser } from '../../src/cli/terminal/browser.ts';
import { eventually } from '../support/eventually.ts';
import { Stage } from '../support/peers.ts';

const URL_WITH_PASS = 'http://127.0.0.1:4000/#eyJ2IjoxfQ.c2VjcmV0';

describe('opening a browser', () => {
  const stage = new Stage();
  const path = process.env['PATH'];

  afterEach(() => {
    process.env['PATH'] = path;
    return stage.clear();
  });

  it('gives it a private file that leads to the address, so that no other user sees the pass', async () => {
    const folder = await stage.folder();
    const told = join(folder, 'told');
    for (const name of ['xdg-open', 'open']) {
      await writeFile(join(folder, name), `#!/bin/sh\necho "$@" > ${told}\n`);
      await chmod(join(folder, name), 0o700);
    }
    process.env['PATH'] = `${folder}:${path}`;
    const forget = await openBrowser(URL_WITH_PASS);
    await eventually(async () => expect(await readFile(told, 'utf8')).to.match(/\n$/));
    const given = (await readFile(told, 'utf8')).trim();
    expect(given)
      .to.match(/^file:/)
      .and.not.include('eyJ2IjoxfQ');
    const file = fileURLToPath(given);
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect((await stat(join(file, '..'))).mode & 0o777).to.equal(0o700);
    expect(await readFile(file, 'utf8')).to.include(`url=${URL_WITH_PASS}"`);
    await forget();
    expect(await stat(file).catch(() => 'gone')).to.equal('gone');
  });

  it('does nothing where there is none', async () => {
    const folder = await stage.folder();
    process.env['PATH'] = folder;
    const forget = await openBrowser(URL_WITH_PASS);
    await forget();
  });
});
