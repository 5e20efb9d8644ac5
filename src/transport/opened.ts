import type { Socket as NetSocket } from 'node:net';

import { owned } from './owned.ts';

/**
 * Resolves with the event that says a connection is there; rejects with its error, or when it is closed instead.
 * Errors that come later end the connection: whoever uses it listens to 'close'.
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
    const closed = (): void => failed(new Error('the connection was closed before it was there'));
    const off = (): void => {
      stream.off(event, done).off('error', failed).off('close', closed);
    };
    stream.on(event, done).on('error', failed).on('close', closed);
  });
}
