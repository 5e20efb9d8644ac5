/** How long a received record is valid, on the clock. */
export interface Life {
  since: number;
  until: number;
  /** How often it was asked for since it was received. */
  asked: number;
}

/** A record is valid for at most this long, in ms, unless it is sent again: the usual 75 minutes of RFC 6762. */
const LONGEST = 75 * 60 * 1_000;

/** A withdrawn record is still valid for this long, in ms. So is one that its only owner contradicts. */
export const GRACE = 1_000;

/** A record is asked for again after these fractions of its lifetime, or up to 2% later. */
const REFRESH = [0.8, 0.85, 0.9, 0.95];

/** @param ttl in seconds */
export function lifeOf(ttl: number, now: number): Life {
  return { since: now, until: now + Math.min(ttl * 1_000, LONGEST), asked: 0 };
}

export function cutShort(life: Life, now: number): Partial<Life> {
  return { until: Math.min(life.until, now + GRACE) };
}

/** Whether it should be asked for again: once for each fraction in `REFRESH`. */
export function isDue(life: Life, now: number, late: number): boolean {
  const threshold = REFRESH[life.asked];
  const part = (now - life.since) / (life.until - life.since);
  if (threshold === undefined || part < threshold + late) return false;
  life.asked += 1;
  return true;
}
