/** The other side sent a message that breaks the protocol. The connection is closed because of it. */
export class BadFrame extends Error {}
