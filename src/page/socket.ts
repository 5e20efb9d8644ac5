import { SUBPROTOCOL } from '../wire/frames.ts';

/** The `WebSocket` of browsers, Node from 22, Deno and Bun, as far as a page needs it. */
export interface PageSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** @throws TypeError where there is none; what the engine throws, such as for `ws:` in a page that came by https */
export function openSocket(url: string): PageSocket {
  const { WebSocket } = globalThis as { WebSocket?: new (url: string, protocol: string) => PageSocket };
  if (!WebSocket) throw new TypeError('no global WebSocket: use a browser, Node 22, Deno or Bun');
  const socket = new WebSocket(url, SUBPROTOCOL);
  socket.binaryType = 'arraybuffer';
  return socket;
}
