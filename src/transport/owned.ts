import type { Socket as NetSocket } from 'node:net';

/**
 * Handles the errors of a stream for its whole life, and returns the stream.
 *
 * An error without a listener ends the process, and anybody that can open a connection can cause one: a reset while an answer is
 * being written is enough. Node and `ws` listen only while they own the stream. In between (an upgrade that is refused, a dial
 * that is given up) nobody listens. So a stream must get this listener in the same turn of the event loop in which it appears.
 * The listener does nothing: the stream destroys itself, and 'close' follows.
 */
export function owned<Stream extends NetSocket>(stream: Stream): Stream {
  return stream.on('error', ignore);
}

function ignore(): void {}
