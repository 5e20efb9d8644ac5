/**
 * The states of a page's connection: a plain table in the place of a machine, since XState alone is larger than a page's whole
 * bundle may be. The names are those of the connection machine. `docs/states.md` lists them, and `spec/peer/machines.spec.ts`
 * compares both. `spec/support/page-stage.ts` checks each change of state in the specs.
 */

/**
 * The state of the connection of a page. `waiting`: until the next attempt. `dialing`: opens a socket. `authenticating`: both
 * sides prove themselves. `open`: calls go both ways. `suspect`: nothing was heard, and a ping is under way. `draining`: one side
 * is leaving, and what runs may finish. `closed`: for good.
 *
 * @example
 * const isUsable = (state: PageState): boolean => state === 'open' || state === 'suspect';
 */
export type PageState = 'waiting' | 'dialing' | 'authenticating' | 'open' | 'suspect' | 'draining' | 'closed';

/** The states that may follow each state. */
export const NEXT_STATES: Readonly<Record<PageState, readonly PageState[]>> = {
  waiting: ['dialing', 'closed'],
  dialing: ['authenticating', 'waiting'],
  authenticating: ['open', 'waiting'],
  open: ['suspect', 'draining', 'waiting'],
  suspect: ['open', 'draining', 'waiting'],
  draining: ['waiting'],
  closed: [],
};
