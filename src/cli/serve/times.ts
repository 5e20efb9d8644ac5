/** How long the parts of the end of a served module may take. */

/** What the module may take to clean up once its peers have stopped, in ms. */
export const CLEANUP_TIME = 5_000;

/** What its process may take in all before it is killed, in ms: `drainTime` is 10 s by default. */
export const END_TIME = 18_000;
