import type { Socket as NetSocket } from 'node:net';

/**
 * Takes charge of a stream's errors for as long as it lives, and returns the stream.
 *
 * An error without a listener ends the process, and anybody who can open a connection can cause one: a reset while an
 * answer is being written is enough. Node and `ws` listen only while a stream is theirs. Between the two (an upgrade
 * that is refused, a dial that is given up) nobody does, so a stream gets this listener in the same turn of the event
 * loop in which it appears. There is nothing to do on an error: the stream destroys itself, and 'close' follows.
 */
export function owned<Stream extends NetSocket>(stream: Stream): Stream {
  return stream.on('error', ignore);
}

function ignore(): void {}
