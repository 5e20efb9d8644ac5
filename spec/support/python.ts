import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { lack } from './need.ts';

/** A Python that has `websockets`. Debian's is not always the first in the path. Skips the tests where there is none. */
export async function needPython(test: Mocha.Context): Promise<string> {
  for (const python of ['python3', '/usr/bin/python3']) {
    const has = promisify(execFile)(python, ['-c', 'import websockets']).then(
      () => true,
      () => false,
    );
    if (await has) return python;
  }
  return lack(test, 'python3 with the package websockets: apt-get install python3-websockets');
}
