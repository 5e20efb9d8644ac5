/** How long the parts of the end of a served module may take. */

/** The time that the module has to clean up once its peers have stopped, in ms. */
export const CLEANUP_TIME = 5_000;

/** The time that its process has in all before it is killed, in ms: `drainTime` is 10 s by default. */
export const END_TIME = 18_000;
