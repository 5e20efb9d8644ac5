import type { Limits } from '../wire/frames.ts';

/** What a page accepts from the server: the defaults of a peer. */
export const PAGE_LIMITS = {
  message: 16 * 1024 * 1024,
  calls: 1_024,
  streams: 256,
  running: 1_024,
  subscriptions: 1_024,
} as const satisfies Limits;
