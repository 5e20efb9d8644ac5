import { isDefaultTag, readableTag } from '../base/tag.ts';
import type { Link } from '../connection/link/link.ts';
import type { WatchedCall } from '../presence/set/peer-watch.ts';
import type { RunningCall } from './callee/running-call.ts';
import { takenOver } from './callee/taken-calls.ts';
import type { Call } from './caller/call.ts';
import { sentOver, waitingFor } from './caller/sent-calls.ts';

/** The calls of a peer that have been under way for a while, for `net.watch`. */

/** Calls that are looked at. More are under way only in a peer that is in trouble, and there a look must stay cheap. */
const MOST_LOOKED_AT = 8_192;

/**
 * The oldest calls first.
 * @param now on the clock of the peer
 * @param least age, in ms
 */
export function underWay(links: Iterable<Link>, now: number, least: number, most: number): WatchedCall[] {
  const found: WatchedCall[] = [];
  let room = MOST_LOOKED_AT;
  const add = (link: Link, side: WatchedCall['side'], tag: string, since: number, state: State): void => {
    const age = Math.round(now - since);
    if (age < least || isDefaultTag(tag)) return;
    const { id, name } = link.record;
    found.push({ tag, side, peer: id, name, age, state });
  };
  for (const link of links) {
    if (link.made) {
      for (const call of sentOver(link).pending.values())
        add(link, 'made', call.tag, call.madeAt, stateOf(call));
      room -= link.made.pending.size;
    }
    if (link.record.waiting && link.record.link === link) {
      const oldest = waitingFor(link.record).peek();
      if (oldest) add(link, 'made', oldest.tag, oldest.madeAt, 'waiting');
    }
    if (link.taken) {
      for (const call of takenOver(link).running.values())
        add(link, 'ran', call.tag, call.receivedAt, stateOfRunning(call));
      const [held] = takenOver(link).held?.requests.values() ?? [];
      if (held) add(link, 'ran', held.request.tag, held.receivedAt, 'waiting');
      room -= link.taken.unsettled;
    }
    if (room <= 0) break;
  }
  const oldest = found.toSorted((a, b) => b.age - a.age).slice(0, most);
  for (const call of oldest) call.tag = readableTag(call.tag);
  return oldest;
}

type State = WatchedCall['state'];

function stateOf({ reader }: Call): State {
  return reader ? 'streaming' : 'running';
}

function stateOfRunning({ ended, waitsFor, writer }: RunningCall): State {
  if (ended) return 'ending';
  if (waitsFor?.hasBegun === false) return 'waiting';
  return writer ? 'streaming' : 'running';
}
