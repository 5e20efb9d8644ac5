import * as fc from 'fast-check';

import type { RemotePeer } from '../../src/index.ts';
import { NetError } from '../../src/index.ts';
import { encodeTag } from '../../src/base/tag.ts';

/** Texts and values with which a peer may try to bend the output of another program. */

/** Colours that the command line has no use for, so that one of them in its output is somebody else's. */
const FOREIGN_COLORS = ['\u001b[7m', '\u001b[45m', '\u001b[38;5;1m', '\u009b5m'];

const PIECES = [
  ...FOREIGN_COLORS,
  ...['\u001b[2J', '\u001b[1A', '\u001b]0;title\u0007', '\u001bc', '\u0090q', '\u009c', '\u007f', '\u0000'],
  ...['\r', '\n', '\r\n', '\t', '\b', '\u0085', '\u2028', '\u2029', '\u202e', '\u2066', '\u061c', '\u200f'],
  ...['\u200b', '\u00ad', '\ufeff', '\u{e0041}', '\ud800', '\udc00', '\u0301'.repeat(40)],
  ...[
    'a',
    'peer-1',
    '家家',
    '👩‍👩‍👧',
    '__proto__',
    'constructor',
    'toString',
    '',
    '\n    at peer "x" (y)',
    '\n    at f (x:1:1)',
  ],
  ...['x'.repeat(700), '/'.repeat(300), '.'.repeat(300), 'net.info'],
];

export const hostileText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 6 })
  .map((parts) => parts.join(''));

const scalar = fc.oneof(
  hostileText,
  fc.constantFrom(null, true, false, 0, -0, -1, 1e308, -1e308, 5e-324, 2 ** 53, NaN, Infinity, undefined),
  fc.double(),
  fc.bigInt({ max: 10n ** 60n }),
);

const errorLike = fc
  .record({ name: hostileText, message: hostileText, stack: hostileText, more: scalar, cause: scalar })
  .map(({ name, message, stack, more, cause }) => {
    const error = new RangeError(message, { cause });
    const own = { name, stack: `${name}: ${message}\n    at f (${stack})\n    at peer "a" (b)`, more };
    return Object.defineProperties(error, Object.getOwnPropertyDescriptors(own));
  });

/** Any result, payload of an event, or thrown value that may arrive. */
export const hostileValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    errorLike,
    fc.constantFrom<unknown>(new Date(NaN), new Date(0), new URL('http://x/'), new Uint8Array(9)),
    hostileText.map((text) => new NetError('CONNECTION_LOST', text)),
    hostileText.map((text) => new RegExp(text.replaceAll(/[^\p{L}\p{C}]/gu, ''), 'u')),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(hostileText, tie('value'), { maxKeys: 4 }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 2 }).map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 3 }).map((each) => new Set(each)),
    fc.array(tie('value'), { maxLength: 2 }).map((each) => new AggregateError(each, 'many')),
  ),
})).value;

const INFO_FIELDS = [
  ...[
    'id',
    'name',
    'group',
    'hub',
    'pid',
    'host',
    'user',
    'versions',
    'uptime',
    'time',
    'functions',
    'peers',
  ],
  ...['counters', 'loop', 'memory', '__proto__', 'toJSON', 'more'],
];

/** Any answer to `net.info`: none at all, or one with fields that are something else. */
export const hostileInfo: fc.Arbitrary<unknown> = fc.oneof(
  hostileValue,
  fc.dictionary(fc.constantFrom(...INFO_FIELDS), hostileValue),
  fc.record({
    versions: fc.dictionary(fc.constantFrom('app-net', 'node', 'protocol'), hostileValue),
    counters: fc.dictionary(
      fc.constantFrom('caller', 'dispatcher', 'events'),
      fc.dictionary(fc.constantFrom('pending', 'waiting', 'settled', 'running', '__proto__'), hostileValue),
    ),
    loop: fc.dictionary(fc.constantFrom('lag', 'utilization'), hostileValue),
    functions: fc.array(fc.oneof(hostileText, scalar), { maxLength: 20 }),
    uptime: scalar,
    memory: scalar,
  }),
);

/** As much of a peer as commands look at, which it told in its handshake. */
export const hostilePeer: fc.Arbitrary<RemotePeer> = fc
  .record({
    id: hostileText,
    name: hostileText,
    group: hostileText,
    hub: fc.boolean(),
    pid: fc.constantFrom(0, 7, 2 ** 53 - 1),
    host: hostileText,
    scope: fc.constantFrom('host', 'lan'),
    functions: fc.array(
      fc.oneof(
        hostileText,
        fc.tuple(hostileText, hostileText).map(([a, b]) => encodeTag(a, b)),
      ),
      { maxLength: 12 },
    ),
  })
  .map((peer) => peer as unknown as RemotePeer);

/** The first character of a text that would steer a terminal, hide in it, or come from somebody else; else undefined. */
export function steering(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex
  const without = text.replaceAll(/\u001b\[(?:1|2|22|4|24|3[1-9]|39|90)m/g, '');
  return /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/u.exec(without)?.[0];
}
