import { wsFrame } from './flood.ts';
import { request } from './impolite.ts';

/** Requests as a fuzzer makes them: mostly almost right, since what is plainly wrong is refused early. */

type Random = () => number;

const below = (random: Random, end: number): number => Math.floor(random() * end);
const oneOf = <Item>(random: Random, items: readonly Item[]): Item => items[below(random, items.length)]!;

const NAMES = [
  ...['Host', 'Origin', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Expect'],
  ...[
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Extensions',
    'Content-Length',
    'Transfer-Encoding',
    'Keep-Alive',
  ],
  ...['__proto__', 'constructor', 'Cookie', 'Te', 'Trailer', 'Date', 'X'.repeat(300), ' ', ':', '\u0000'],
];

const VALUES: readonly ((random: Random) => string)[] = [
  () => '',
  () => 'websocket',
  () => 'Upgrade, keep-alive, close',
  () => 'app-net.v1, app-net.v1,,;,"app-net.v1',
  () => 'permessage-deflate; client_max_window_bits=99; a="\\"',
  () => 'chunked, gzip, chunked',
  () => '100-continue',
  () => '[::1]:99999',
  () => '0x7f.1',
  () => '127.0.0.1:80:80',
  () => 'http://[',
  (random) => String(below(random, 2 ** 40) - 2 ** 20),
  (random) => String.fromCharCode(...Array.from({ length: 40 }, () => below(random, 256))),
  (random) => oneOf(random, ['a', ',', '\t', 'é', '\u007f', '"']).repeat(below(random, 9_000)),
];

const LINES = [
  'GET / HTTP/1.1',
  'GET  /  HTTP/1.1',
  'GET http://[/ HTTP/1.1',
  'GET / HTTP/1.0',
  'GET / HTTP/9.9',
  'GET /',
  'HEAD /%00%ff?#%% HTTP/1.1',
  'CONNECT [::1]:1 HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'M-SEARCH * HTTP/1.1',
  'PRI * HTTP/2.0',
  `GET /${'a'.repeat(5_000)} HTTP/1.1`,
];

/** Bytes that follow the head: bodies, other requests, frames, noise. */
const TAILS: readonly ((random: Random) => string)[] = [
  () => '',
  () => '5\r\nhello\r\n0\r\n\r\n',
  () => 'ffffffffffffffffff\r\nx',
  () => '-1\r\n\r\n',
  (random) => request().repeat(1 + below(random, 4)),
  (random) => wsFrame(below(random, 16), random() < 0.7, 'x'.repeat(below(random, 200))).toString('latin1'),
  (random) => wsFrame(1, true, '{"type":"hello"}', below(random, 65_536)).toString('latin1'),
  (random) =>
    wsFrame(8, true, String.fromCharCode(below(random, 256), below(random, 256))).toString('latin1'),
  (random) => String.fromCharCode(...Array.from({ length: below(random, 64) }, () => below(random, 256))),
];

/** Bytes of one connection, as latin1. */
export function fuzzedRequest(random: Random): string {
  const changes: Record<string, string | undefined> = {};
  for (let count = below(random, 4); count > 0; count -= 1) {
    const name = random() < 0.6 ? oneOf(random, NAMES.slice(0, 7)) : oneOf(random, NAMES);
    Object.defineProperty(changes, name, {
      value: random() < 0.2 ? undefined : oneOf(random, VALUES)(random),
      enumerable: true,
      configurable: true,
    });
  }
  const line = random() < 0.7 ? LINES[0]! : oneOf(random, LINES);
  let text = request(changes, line) + oneOf(random, TAILS)(random);
  for (let count = random() < 0.5 ? 0 : below(random, 3); count > 0; count -= 1) {
    const at = below(random, text.length);
    const length = below(random, 12);
    const noise = String.fromCharCode(...Array.from({ length: below(random, 4) }, () => below(random, 256)));
    text = text.slice(0, at) + noise + text.slice(at + length);
  }
  if (random() < 0.2) text = text.replaceAll('\r\n', oneOf(random, ['\n', '\r', '\r\r\n', '\r\n ']));
  return random() < 0.25 ? text.slice(0, below(random, text.length)) : text;
}
