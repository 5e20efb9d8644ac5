// A process with a log that others can follow, and a place where they can store files.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { connect, serve } from 'app-net';

export const tail = connect('tail', async function* tail(file: string) {
  try {
    for (let line = 1; ; line += 1) {
      yield `${file}:${line}`;
      await sleep(5);
    }
  } finally {
    console.log(`(there) nobody follows ${file} any more`);
  }
});

export const store = connect('store', async (name: string, content: AsyncIterable<Uint8Array>) => {
  const hash = createHash('sha256');
  let size = 0;
  for await (const part of content) {
    hash.update(part);
    size += part.byteLength;
  }
  return { name, size, sha256: hash.digest('hex') };
});

await serve();
