/** Suggestions ("did you mean …?") for messages about a name that does not exist. */

/** How many of the last characters of a name are compared. Each is a bit of a 32-bit integer. */
const LONGEST = 31;

/** How many names are compared at most. */
const MOST_COMPARED = 256;

/**
 * Up to three of `names` that look like `wanted`, the nearest first.
 * @param part the part of a name that people mistype; default: all of it
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

/** What comes before a list of all names in a message about one that does not exist. */
export function hint(wanted: string, names: readonly string[]): string {
  const [meant] = near(wanted, names);
  return meant === undefined ? 'the' : `did you mean ${meant}? The`;
}

function comparable(name: string): string {
  return name.slice(-LONGEST).toLowerCase();
}

/**
 * The Levenshtein distance, with the bit-parallel algorithm of Myers (1999), which computes a column in one number. It has to be
 * fast, because a stranger that asks for an unknown function makes us compare the name with hundreds.
 */
function editDistance(a: string, b: string): number {
  if (a === '') return b.length;
  const places = new Map<string, number>();
  for (let i = 0; i < a.length; i += 1) places.set(a[i]!, (places.get(a[i]!) ?? 0) | (1 << i));
  const last = 1 << (a.length - 1);
  let distance = a.length;
  // The rows at which the column grows by one, and those at which it shrinks by one.
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
