import type { Socket as NetSocket } from 'node:net';

import { owned } from './owned.ts';

/**
 * Resolves with the event that tells that a connection is open. Rejects with its error, or if it is closed first. Later errors
 * end the connection; its user listens to 'close'.
 */
export function opened(stream: NetSocket, event: 'connect' | 'secureConnect'): Promise<void> {
  owned(stream);
  return new Promise((resolve, reject) => {
    const done = (): void => {
      off();
      resolve();
    };
    const failed = (error: Error): void => {
      off();
      reject(error);
    };
    const closed = (): void => failed(new Error('the connection was closed before it was open'));
    const off = (): void => {
      stream.off(event, done).off('error', failed).off('close', closed);
    };
    stream.on(event, done).on('error', failed).on('close', closed);
  });
}
