import { DEAF } from '../transport/transport.ts';
import type { Socket } from '../transport/transport.ts';
import { encodeFrame } from '../wire/codec.ts';
import { CLOSE } from '../wire/frames.ts';

/**
 * Tells the other side that this peer stops, on a connection that is not complete here but may be complete there: the dialler
 * sends the last message of a handshake, and regards this peer as joined from then on.
 */
export function sayGoodbye(socket: Socket): void {
  // `last` is 0, because no request was taken.
  socket.send(encodeFrame({ type: 'goaway', last: 0, reason: 'stopped' }));
  socket.receive(DEAF);
  socket.close(CLOSE.GOING_AWAY, '');
}
