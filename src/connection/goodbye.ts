import { DEAF } from '../transport/transport.ts';
import type { Socket } from '../transport/transport.ts';
import { encodeFrame } from '../wire/codec.ts';
import { CLOSE } from '../wire/frames.ts';

/**
 * Says that this peer stops, on a connection that is none yet here but may be one for the other side: the last word
 * of a handshake is the dialler's, who takes this peer for joined from then on.
 */
export function sayGoodbye(socket: Socket): void {
  // No request was taken.
  socket.send(encodeFrame({ type: 'goaway', last: 0, reason: 'stopped' }));
  socket.receive(DEAF);
  socket.close(CLOSE.GOING_AWAY, '');
}
