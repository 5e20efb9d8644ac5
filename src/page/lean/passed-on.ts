/** A page has no threads to pass requests on to. Takes the place of `wire/passed-on.ts` in a page. */

export function passesOn(): boolean {
  return false;
}

export function passOn(): undefined {
  return undefined;
}

export function passOnRead(): undefined {
  return undefined;
}
