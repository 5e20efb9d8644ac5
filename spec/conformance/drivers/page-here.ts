/** Drives `app-net/page` in the runtime that runs this file. The built library is the first argument, as a URL. */

import { createInterface } from 'node:readline';

import { toLine } from '../values.ts';
import { drivePage } from './page.ts';

const library = (await import(process.argv[2]!)) as typeof import('../../../src/page.ts');
const run = drivePage(library, (line) => process.stdout.write(`${toLine(line)}\n`));

createInterface({ input: process.stdin })
  .on('line', (line) => {
    run(line).catch((error: unknown) => console.error(error));
  })
  .on('close', () => process.exit(0));
