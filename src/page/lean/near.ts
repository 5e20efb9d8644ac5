/** A page is short of room: an option that does not exist is answered with those that do. Takes the place of `base/near.ts` in a page. */

export function hint(): string {
  return 'the';
}
