import type { LeaveReason } from '../index.ts';
import type { FleetHappening, Witnessed } from './messages.ts';

/** What is remembered. */
const MOST = 200;

interface Who {
  id: string;
  name: string;
  group: string;
}

/** Words about one leave come within this time, in ms. */
const TOGETHER = 15_000;

function isRecent({ at }: { at: number }): boolean {
  return Date.now() - at < TOGETHER;
}

/** Joins, leaves and gaps: what the observer itself sees, and what the peers that it watches tell of each other. */
export class FleetHappenings {
  #all: FleetHappening[] = [];
  #changed = new Set<FleetHappening>();
  #newest = 0;

  /** Everything that is remembered, the oldest first. */
  list(): FleetHappening[] {
    return [...this.#all];
  }

  /** What is new or better known since the last time. */
  take(): FleetHappening[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  joined({ id, name, group }: Who): void {
    const last = this.#last(id);
    if (last?.type !== 'join') this.#add({ ...this.#head(), type: 'join', id, name, group, witnesses: 0 });
  }

  /** The observer saw it leave. @param evidence in words */
  left(who: Who, why: LeaveReason, evidence: string): void {
    const last = this.#last(who.id);
    if (last?.type !== 'leave' || !isRecent(last)) {
      this.#addLeave(who, why, evidence, { witnesses: 0, seenHere: true });
      return;
    }
    last.why = why;
    last.seenHere = true;
    if (evidence !== '') last.evidence = evidence;
    this.#changed.add(last);
  }

  /** A peer that is watched has seen it. */
  witnessed(seen: Witnessed): void {
    const last = this.#last(seen.id);
    if (last?.type === seen.type && isRecent(last)) {
      last.witnesses += 1;
      if (seen.type === 'leave' && last.type === 'leave' && last.evidence === '')
        last.evidence = seen.evidence;
      this.#changed.add(last);
    } else if (seen.type === 'leave') {
      this.#addLeave(seen, seen.why, seen.evidence, { witnesses: 1, seenHere: false });
    }
    // A peer that joins sees all others join: that is no news.
  }

  missed(from: Pick<Who, 'id' | 'name'>, event: string, missed: number | undefined, by: string): void {
    const { id, name } = from;
    this.#add({ ...this.#head(), type: 'gap', id, name, event, ...(missed !== undefined && { missed }), by });
  }

  #addLeave(
    { id, name, group }: Who,
    why: LeaveReason,
    evidence: string,
    by: { witnesses: number; seenHere: boolean },
  ): void {
    this.#add({ ...this.#head(), type: 'leave', id, name, group, why, evidence, ...by });
  }

  #last(id: string): Extract<FleetHappening, { type: 'join' | 'leave' }> | undefined {
    const last = this.#all.findLast((each) => each.id === id && each.type !== 'gap');
    return last?.type === 'gap' ? undefined : last;
  }

  #head(): { key: number; at: number } {
    this.#newest += 1;
    return { key: this.#newest, at: Date.now() };
  }

  #add(happening: FleetHappening): void {
    this.#all.push(happening);
    this.#changed.add(happening);
    if (this.#all.length <= MOST) return;
    const oldest = this.#all.shift()!;
    this.#changed.delete(oldest);
  }
}
