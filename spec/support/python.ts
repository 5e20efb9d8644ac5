import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A Python that has `websockets`. Debian's is not always the first in the path. Skips the tests where there is none. */
export async function needPython(test: Mocha.Context): Promise<string> {
  for (const python of ['python3', '/usr/bin/python3']) {
    const has = promisify(execFile)(python, ['-c', 'import websockets']).then(
      () => true,
      () => false,
    );
    if (await has) return python;
  }
  const why = 'there is no python3 with the package websockets here (Debian: python3-websockets)';
  if (process.env['CI']) throw new Error(why);
  console.log(`      (skipped: ${why})`);
  return test.skip();
}
