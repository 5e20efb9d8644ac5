/**
 * A page reads only what the one server sends that it has chosen, and need not protect itself against its sets and maps. Takes the
 * place of `wire/collisions.ts` in a page.
 */
export function collide(_keys: readonly unknown[], _keyOf?: (key: unknown) => unknown): boolean {
  return false;
}
