import { randomBytes } from 'node:crypto';

import { customRandom, urlAlphabet } from 'nanoid';

/**
 * A new nanoid: 126 random bits in 21 characters. It takes its bytes when it is made. `nanoid()` itself takes them from a pool that it
 * filled some time before, so a simulation could not repeat its ids.
 */
export const newId: () => string = customRandom(urlAlphabet, 21, (size) => randomBytes(size));
