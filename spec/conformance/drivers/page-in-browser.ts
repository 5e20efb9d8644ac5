/** Drives `app-net/page` in a tab of Chromium: lines go in and out through playwright. */

import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { buildSync } from 'esbuild';

import { launchChromium, Site } from '../../support/browser.ts';

const { outputFiles } = buildSync({
  entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
  bundle: true,
  write: false,
  format: 'iife',
  globalName: 'driver',
  logLevel: 'error',
});

const [browser, site] = await Promise.all([launchChromium(), Site.open()]);
const tab = await site.tab(browser);
await tab.exposeFunction('writeLine', (line: string) => process.stdout.write(`${line}\n`));
await tab.addScriptTag({ content: outputFiles[0]!.text });

declare const writeLine: (line: string) => void;
declare const driver: typeof import('./page.ts');
interface Driven {
  location: { origin: string };
  runLine: (line: string) => Promise<void>;
}

await tab.evaluate(async () => {
  const url = '/page.js';
  const library = (await import(url)) as typeof import('../../../src/page.ts');
  const write = (line: object): void => writeLine(JSON.stringify(line));
  const here = globalThis as unknown as Driven;
  here.runLine = driver.drivePage(library, write, here.location.origin);
});

createInterface({ input: process.stdin })
  .on('line', (line) => {
    tab
      .evaluate((each) => (globalThis as unknown as Driven).runLine(each), line)
      .catch((error: unknown) => console.error(error));
  })
  .on('close', () => {
    browser.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
