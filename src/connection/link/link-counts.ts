/** What became of the connections of a peer. */
export class LinkCounts {
  opened = 0;
  /** To a peer to which one was lost before. */
  reopened = 0;
  /** Characters of text and bytes of binary messages, of connections that are closed. */
  sent = 0;
  received = 0;
}
