/** How numbers and texts are shown. */

/** Control characters, and those that change the direction of text or cannot be seen, would let a name pose as another one. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const LONGEST = 300;

/** Text of another peer, as it is shown. It is only ever given to text nodes and attributes, never to HTML. */
export function plain(text: unknown): string {
  const all = String(text);
  const cut = all.length > LONGEST ? `${all.slice(0, LONGEST)}…` : all;
  return cut.replace(UNSEEN, '�');
}

/** A count, or how often a second: `7`, `1.2 k`, `3.4 M`. */
export function number(value: number): string {
  if (value < 1_000)
    return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : String(Math.round(value));
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)} k`;
  return `${(value / 1_000_000).toFixed(1)} M`;
}

/** A duration given in ms: `12 µs`, `3.4 ms`, `2.1 s`, `4 min`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1) return `${Math.round(milliseconds * 1_000)} µs`;
  if (milliseconds < 1_000)
    return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1_000;
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 120) return `${Math.round(minutes)} min`;
  return minutes < 2_880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} d`;
}

export function bytes(value: number): string {
  if (value < 1_000) return `${Math.round(value)} B`;
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)} kB`;
  if (value < 1e9) return `${(value / 1e6).toFixed(value < 1e7 ? 1 : 0)} MB`;
  return `${(value / 1e9).toFixed(1)} GB`;
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

export function timeOf(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}

export function count(amount: number, thing: string): string {
  return `${number(amount)} ${thing}${amount === 1 ? '' : 's'}`;
}
