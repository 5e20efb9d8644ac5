/** In a bundle of the user's, no frame of a stack can be taken for ours. Takes the place of `base/stack.ts` in a page. */

export const bundled = true;
export const renamed = true;

export function ownFrame(): boolean {
  return false;
}

export function trimStack(stack: string): string {
  return stack;
}
