/** A message from the other side that breaks the protocol; the connection is closed because of it. */
export class BadFrame extends Error {}
