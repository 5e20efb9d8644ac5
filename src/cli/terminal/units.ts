/** Times and sizes in the form in which people read them. */

/** From this number on, digits do not help a reader. */
const HUGE = 1e15;

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** `3 d 4 h`, `12 min 5 s`, `8 s`. @param time in ms */
export function duration(time: number): string {
  if (!(time >= 0)) return '?';
  const first = UNITS.findIndex(([, length]) => time >= length);
  if (first < 0) return '0 s';
  const [name, length] = UNITS[first]!;
  const whole = Math.floor(time / length);
  const next = UNITS[first + 1];
  const rest = next ? Math.floor((time % length) / next[1]) : 0;
  const shown = figure(whole);
  return rest > 0 && next && whole < HUGE ? `${shown} ${name} ${rest} ${next[0]}` : `${shown} ${name}`;
}

/** `0.42 ms`, `13.1 ms`, `1,250 ms`. @param time in ms */
export function milliseconds(time: number): string {
  const digits = time < 10 ? 2 : time < 100 ? 1 : 0;
  return `${figure(time, digits)} ms`;
}

/** A time in ms, rounded to the microsecond; further digits are noise. */
export function microseconds(time: number): number {
  return Math.round(time * 1_000) / 1_000;
}

/** `48 MiB`. */
export function bytes(size: number): string {
  return `${figure(Math.round(size / 1024 / 1024))} MiB`;
}

/** `1 peer`, `2 peers`. */
export function count(number: number, what: string): string {
  return `${figure(number)} ${what}${number === 1 ? '' : 's'}`;
}

/** `13%`. @param share 0 to 1 */
export function percent(share: number): string {
  return `${figure(Math.round(share * 100))}%`;
}

function figure(number: number, digits = 0): string {
  if (Math.abs(number) >= HUGE) return number.toExponential(1);
  return number.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
