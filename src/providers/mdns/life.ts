/** How long something holds that was said, on the clock. */
export interface Life {
  since: number;
  until: number;
  /** How often it was asked for since it was said. */
  asked: number;
}

/** The longest that anything is believed without being said again, in ms: RFC 6762's usual 75 minutes. */
const LONGEST = 75 * 60 * 1_000;

/** What is taken back holds for so long, in ms; as does what somebody contradicts who alone may say so. */
export const GRACE = 1_000;

/** It is asked for again when these parts of its time are over, or up to 2% later. */
const REFRESH = [0.8, 0.85, 0.9, 0.95];

/** @param ttl in seconds */
export function lifeOf(ttl: number, now: number): Life {
  return { since: now, until: now + Math.min(ttl * 1_000, LONGEST), asked: 0 };
}

export function cutShort(life: Life, now: number): Partial<Life> {
  return { until: Math.min(life.until, now + GRACE) };
}

/** Whether it should be asked for again: once for each of the parts of its time in `REFRESH`. */
export function isDue(life: Life, now: number, late: number): boolean {
  const threshold = REFRESH[life.asked];
  const part = (now - life.since) / (life.until - life.since);
  if (threshold === undefined || part < threshold + late) return false;
  life.asked += 1;
  return true;
}
