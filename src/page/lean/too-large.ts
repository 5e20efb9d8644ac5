/** A value is larger than the server accepts. Takes the place of `wire/too-large.ts` in a page. */
export class TooLarge extends Error {}
