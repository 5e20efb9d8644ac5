/** What somebody may have meant: for the messages to who asked for something that is not there. */

/** The comparison is quadratic in the length, and who asks may be a stranger. In characters. */
const LONGEST = 64;

/** How many names are looked at. */
const MOST_COMPARED = 256;

/**
 * Up to three of `names` that look like `wanted`, the nearest first.
 * @param part what of a name people mistype; default: all of it
 */
export function near(
  wanted: string,
  names: readonly string[],
  part: (name: string) => string = (name) => name,
): string[] {
  const meant = comparable(part(wanted));
  const most = Math.max(2, meant.length / 3);
  return names
    .slice(0, MOST_COMPARED)
    .map((name) => ({ name, distance: editDistance(meant, comparable(part(name))) }))
    .filter(({ distance }) => distance <= most)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

function comparable(name: string): string {
  return name.slice(-LONGEST).toLowerCase();
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
