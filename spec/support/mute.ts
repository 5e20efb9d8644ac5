import { randomBytes } from 'node:crypto';

import { WebSocket } from 'ws';

import { DiallerHandshake } from '../../src/wire/handshake/handshake.ts';
import { deriveKeys } from '../../src/wire/handshake/secret.ts';
import { someone } from './friend.ts';

/** Somebody who knows the secret, and reads nothing once the handshake is done. */
export interface Mute {
  send(text: string): void;
  leave(): void;
}

export async function mute(port: number, secret: string): Promise<Mute> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, 'app-net.v1', { perMessageDeflate: false });
  ws.on('error', () => {});
  const handshake = new DiallerHandshake({
    self: someone,
    keys: await deriveKeys(secret),
    binding: { kind: 'loopback', data: Buffer.from(`127.0.0.1:${port}`) },
    nonce: randomBytes(32),
    to: '',
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', () => ws.send(handshake.hello()));
    ws.once('close', () => reject(new Error('the handshake failed')));
    ws.on('message', (data: Buffer) => {
      const { send, done } = handshake.receive(data.toString());
      if (send !== undefined) ws.send(send);
      if (!done) return;
      ws.removeAllListeners('message').pause();
      resolve();
    });
  });
  return {
    send: (text) => ws.readyState === WebSocket.OPEN && ws.send(text),
    leave: () => ws.terminate(),
  };
}
