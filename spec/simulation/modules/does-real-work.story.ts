import { readFile } from 'node:fs/promises';

import { story } from 'app-net/testing';

export default story(async ({ seed }) => {
  if (seed === 2) await readFile(import.meta.filename);
});
