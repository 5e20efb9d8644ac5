/**
 * Finds a small part of the list with which `fails` is still true: delta debugging. It first leaves out halves, then smaller parts, and
 * ends when no single element can be left out, or when `isTooLong`.
 */
export async function shrink<T>(
  all: readonly T[],
  fails: (some: readonly T[]) => Promise<boolean>,
  isTooLong: () => boolean,
): Promise<readonly T[]> {
  if (all.length === 0 || (await fails([]))) return [];
  let kept = all;
  let parts = 2;
  while (kept.length > 1 && !isTooLong()) {
    const size = Math.ceil(kept.length / parts);
    const smaller = await firstOf(cuts(kept, size), fails, isTooLong);
    if (smaller) {
      kept = smaller;
      parts = Math.max(2, Math.min(parts - 1, kept.length));
    } else if (size === 1) {
      break;
    } else {
      parts = Math.min(kept.length, 2 * parts);
    }
  }
  return kept;
}

/** Each part alone, then the list without each part. */
function cuts<T>(list: readonly T[], size: number): (readonly T[])[] {
  const starts = Array.from({ length: Math.ceil(list.length / size) }, (_, index) => index * size);
  const parts = starts.map((start) => list.slice(start, start + size));
  const rests = starts.map((start) => list.toSpliced(start, size));
  return size === 1 && list.length > 2 ? rests : [...parts, ...rests];
}

async function firstOf<T>(
  lists: readonly (readonly T[])[],
  fails: (some: readonly T[]) => Promise<boolean>,
  isTooLong: () => boolean,
): Promise<readonly T[] | undefined> {
  for (const list of lists) {
    if (isTooLong()) return undefined;
    if (await fails(list)) return list;
  }
  return undefined;
}
