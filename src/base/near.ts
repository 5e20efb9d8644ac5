/** What somebody may have meant: for the messages to who asked for something that is not there. */

/** Characters of a name that are compared, its last ones. A bit each, in a whole number of 32 bits. */
const LONGEST = 31;

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

/**
 * Levenshtein's, as Myers (1999) computes a whole column of it in one number: a stranger who asks for a function that
 * there is not makes us compare it with hundreds.
 */
function editDistance(a: string, b: string): number {
  if (a === '') return b.length;
  const places = new Map<string, number>();
  for (let i = 0; i < a.length; i += 1) places.set(a[i]!, (places.get(a[i]!) ?? 0) | (1 << i));
  const last = 1 << (a.length - 1);
  let distance = a.length;
  // Where the column grows by one from a row to the next, and where it shrinks.
  let [grows, shrinks] = [-1, 0];
  for (let j = 0; j < b.length; j += 1) {
    const equal = places.get(b[j]!) ?? 0;
    const vertical = equal | shrinks;
    const diagonal = (((equal & grows) + grows) ^ grows) | equal;
    let growsBeside = shrinks | ~(diagonal | grows);
    const shrinksBeside = grows & diagonal;
    if (growsBeside & last) distance += 1;
    else if (shrinksBeside & last) distance -= 1;
    growsBeside = (growsBeside << 1) | 1;
    grows = (shrinksBeside << 1) | ~(vertical | growsBeside);
    shrinks = growsBeside & vertical;
  }
  return distance;
}
