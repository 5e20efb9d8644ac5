import { BadFrame } from '../../wire/bad-frame.ts';
import type { Frame, UnreadableFrame } from '../../wire/frames.ts';
import { isFields } from '../../wire/shapes.ts';
import type { Fields } from '../../wire/shapes.ts';
import { assembleError, define } from '../../wire/values/error-classes.ts';
import type { ErrorParts } from '../../wire/values/error-classes.ts';
import { stackOf } from '../../wire/values/failure.ts';
import { put, splitPath } from '../../wire/values/meta.ts';
import { isBytesClass } from './encode.ts';

/**
 * Reads frames. The server has proved that it made the pass, so its frames are not checked field by field: one that is wrong fails
 * where it is used, and ends the connection.
 */

/**
 * @param binaries that came before the message; those of its frames are taken out
 * @throws BadFrame
 */
export function decodeMessage(
  text: string,
  binaries: Uint8Array[],
  take: (frame: Frame | UnreadableFrame) => void,
): void {
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const frame = parse(line);
    let size = line.length;
    const { meta } = frame;
    if (isFields(meta)) {
      const taken = binaries.splice(0, (meta['binary'] as number | undefined) ?? 0);
      for (const { length } of taken) size += length;
      delete frame['meta'];
      try {
        revive(frame, meta['values'] as Fields, taken);
      } catch (error) {
        const { message } = error as Error;
        take({ ...frame, type: 'unreadable', of: frame['type'], message } as UnreadableFrame);
        continue;
      }
    }
    if (frame['type'] === 'next') frame['size'] = size;
    take(frame as unknown as Frame);
  }
}

function parse(line: string): Fields {
  try {
    const frame: unknown = JSON.parse(line);
    if (isFields(frame)) return frame;
  } catch {
    // Handled like a wrong shape, below.
  }
  throw new BadFrame('a frame is not a JSON object');
}

type Made = (json: never, binaries: readonly Uint8Array[]) => unknown;

/** How values are made, by their type. */
const MAKE: { readonly [type: string]: Made } = {
  undefined: () => undefined,
  // `NaN`, `Infinity`, `-Infinity` or `-0`.
  number: Number,
  bigint: (json: string) => BigInt(json),
  Date: (json: string) => new Date(json),
  regexp: (json: string) => {
    const [, source, flags] = /^\/(.*)\/([a-z]*)$/su.exec(json)!;
    return new RegExp(source!, flags);
  },
  URL: (json: string) => new URL(json),
  set: (json: unknown[]) => new Set(json),
  map: (json: [unknown, unknown][]) => new Map(json),
  Error: (json: ErrorParts) => {
    const error = assembleError(json);
    define(error, 'stack', stackOf(json));
    return error;
  },
};

/** Puts the values in their places. Paths are followed only along own keys, and end in objects that JSON made. */
function revive(root: object, values: Fields, binaries: readonly Uint8Array[]): void {
  for (const [path, note] of Object.entries(values)) {
    const keys = splitPath(path)!;
    const last = keys.pop()!;
    const parent = keys.reduce<unknown>(own, root) as object;
    const json = own(parent, last);
    const [type, within] = note as [string | [string, string], Fields?];
    if (within) revive(json as object, within, binaries);
    const make = typeof type === 'string' && Object.hasOwn(MAKE, type) ? MAKE[type] : undefined;
    if (!make && typeof type === 'string') throw new Error(`it has a ${type} that this page cannot create`);
    put(
      parent,
      last,
      make ? make(json as never, binaries) : bytesOf(type[1] ?? '', binaries[json as number]!),
    );
  }
}

function own(parent: unknown, key: string): unknown {
  if (!Object.hasOwn(parent as object, key)) throw new Error('its meta does not point to a value');
  return (parent as Fields)[key];
}

type View = new (memory: ArrayBufferLike) => ArrayBufferView;

/** Each binary message has memory of its own. */
function bytesOf(kind: string, { buffer }: Uint8Array): unknown {
  if (kind === 'ArrayBuffer') return buffer;
  if (kind === 'Buffer') return new Uint8Array(buffer);
  if (!isBytesClass(kind)) throw new Error(`it has a ${kind} that this page cannot create`);
  return new (globalThis as unknown as Record<string, View>)[kind]!(buffer);
}
