import { dialHandshake } from '../../src/connection/dial/handshaking.ts';
import { systemClock } from '../../src/base/time/clock.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import type { Socket } from '../../src/transport/transport.ts';
import type { Self } from '../../src/wire/handshake/handshake.ts';
import { deriveKeys } from '../../src/wire/handshake/secret.ts';

export const someone = {
  id: 'someone',
  incarnation: 'one',
  limits: { message: 1_000_000, calls: 10 },
  describe: () => ({ name: 's', group: 'main', hub: false, pid: 1, host: 'h', functions: [] }),
};

/** Somebody who knows the secret, and then does as they like. */
export interface Friend {
  socket: Socket;
  /** The first message. */
  message: Promise<string>;
  /** The code with which it was ended. */
  closed: Promise<number>;
  /** Every frame that came so far. */
  frames: { type: string; id: number; failure?: { code: string; ran: string } }[];
}

export async function befriend(port: number, secret: string, self: Self = someone): Promise<Friend> {
  const socket = await webSocketTransport().dial({ host: '127.0.0.1', port }, { largestMessage: 1_000_000 });
  const keys = await deriveKeys(secret);
  await new Promise<void>((resolve, reject) => {
    dialHandshake(socket, '', { self, keys, clock: systemClock }, { done: () => resolve(), failed: reject });
  });
  const frames: Friend['frames'] = [];
  let heard: (text: string) => void;
  let ended: (code: number) => void;
  const message = new Promise<string>((resolve) => (heard = resolve));
  const closed = new Promise<number>((resolve) => (ended = resolve));
  socket.receive({
    message: (text) => {
      heard(text);
      frames.push(...text.split('\n').map((line) => JSON.parse(line) as Friend['frames'][number]));
    },
    binary: () => {},
    closed: (code) => ended(code),
  });
  return { socket, message, closed, frames };
}
