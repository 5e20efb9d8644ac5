import { send } from './state.ts';
import type { Ask, State } from './state.ts';
import type { Fingerprint, LinkKey } from './types.ts';

/** Asking for descriptions: of all that offer one, one is asked, and the next one when that one stays silent. */

/** After so long without an answer another one is asked, in ms: one peer that stands still must not delay a join. */
const PATIENCE = 500;

/** The same where so much is asked that all are busy with answers: to ask twice would only make more of it. */
const PATIENCE_WITH_MANY = 2_000;
const MANY = 16;

/** When nobody is left to ask, two sets are compared this soon, in ms. */
const COMPARE_SOON = 1_000;

/** False when somebody has been asked already. */
export function ask(state: State, link: LinkKey, fingerprint: Fingerprint): boolean {
  const asked = state.asked.get(fingerprint);
  if (asked) asked.others.push(link);
  else state.asked.set(fingerprint, { at: state.now, of: link, others: [] });
  return !asked;
}

/** When somebody else is to be asked. */
export function nextAsk({ asked }: State): number {
  if (asked.size === 0) return Infinity;
  // In the order in which they were asked for.
  for (const { at } of asked.values()) return at + patience(asked);
  return Infinity;
}

function patience({ size }: State['asked']): number {
  return size > MANY ? PATIENCE_WITH_MANY : PATIENCE;
}

/** Asks others for what did not come. */
export function askAgain(state: State): void {
  if (nextAsk(state) > state.now) return;
  const late = state.now - patience(state.asked);
  askOthers(state, ({ at }) => at <= late);
}

/** Asks others for what was asked of a link that has closed: no answer comes over it. */
export function askElsewhere(state: State, link: LinkKey): void {
  askOthers(state, ({ of }) => of === link);
}

function askOthers(state: State, isOver: (asked: Ask) => boolean): void {
  const wanted = new Map<LinkKey, Fingerprint[]>();
  for (const [fingerprint, asked] of [...state.asked]) {
    if (!isOver(asked)) continue;
    state.asked.delete(fingerprint);
    const of = asked.others.find((each) => state.links.has(each));
    if (of === undefined) {
      state.compareAt = Math.min(state.compareAt, state.now + COMPARE_SOON);
      continue;
    }
    const others = asked.others.filter((each) => each !== of);
    state.asked.set(fingerprint, { at: state.now, of, others });
    const each = wanted.get(of);
    if (each) each.push(fingerprint);
    else wanted.set(of, [fingerprint]);
  }
  for (const [link, each] of wanted) send(state, link, { type: 'wanted', fingerprints: each });
}
