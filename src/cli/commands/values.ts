import { inspect } from 'node:util';

import { inspectInColors } from '../terminal/colors.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import { encodeBeside } from '../../wire/beside.ts';
import { messageOf } from '../../base/text.ts';

/** Arguments and results of calls: from the command line, to a terminal, to JSON. */

/**
 * Reads each argument as JSON, or else as a string. Text that begins like JSON and is not JSON is refused: usually the
 * shell has removed its quotes.
 * @throws CliError
 */
export function readArguments(given: readonly string[]): unknown[] {
  return given.map((text, index) => {
    let value: unknown;
    try {
      value = JSON.parse(text) as unknown;
    } catch (error) {
      if (!/^\s*[[{"]/.test(text)) return text;
      const why = messageOf(error);
      throw new CliError(
        EXIT.USAGE,
        `argument ${index + 1} begins like JSON but is not JSON: ${why}`,
        `put JSON into single quotes, '{"width":200}'; write a string that begins like this as a JSON string: '"[x"'`,
      );
    }
    const isWhole = /^-?\d+$/.test(text.trim());
    if (typeof value === 'number' && (isWhole ? !Number.isSafeInteger(value) : !Number.isFinite(value))) {
      throw new CliError(
        EXIT.USAGE,
        `argument ${index + 1}, ${text}, is too large for an exact number`,
        `give it as a string, '"${text}"'${Number.isFinite(value) ? `, or give the number that it would become: ${value.toExponential()}` : ''}`,
      );
    }
    return value;
  });
}

/**
 * Reads the value of `--meta`.
 * @throws CliError
 */
export function readMeta(given: string | undefined): Record<string, unknown> | undefined {
  if (given === undefined) return undefined;
  let why = 'it is not a JSON object';
  try {
    const meta: unknown = JSON.parse(given);
    if (typeof meta === 'object' && meta !== null && !Array.isArray(meta)) {
      // Says what is wrong with it before anything is searched.
      encodeBeside(meta as Record<string, unknown>, undefined);
      return meta as Record<string, unknown>;
    }
  } catch (error) {
    why = messageOf(error);
  }
  throw new CliError(
    EXIT.USAGE,
    `--meta cannot be used: ${why}`,
    `give a small JSON object: --meta '{"token":"abc"}'`,
  );
}

/** The form for people: a string as it is, anything else as Node shows it. */
export function display(value: unknown, { colors, columns }: { colors: boolean; columns: number }): string {
  if (typeof value === 'string') return value;
  const options = { depth: 8, maxArrayLength: 1_000, breakLength: Math.min(columns, 120) };
  return colors ? inspectInColors(value, options) : inspect(value, options);
}

/** The JSON for any value; `docs/cli.md` has the list. */
export function jsonable(value: unknown): unknown {
  return walk(value, new Set()) ?? null;
}

function walk(value: unknown, above: Set<object>): unknown {
  switch (typeof value) {
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (above.has(value)) return '[circular]';
  above.add(value);
  const plain = walkObject(value, above);
  above.delete(value);
  return plain;
}

function walkObject(value: object, above: Set<object>): unknown {
  const each = (item: unknown): unknown => walk(item, above);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof RegExp || value instanceof URL) return String(value);
  if (value instanceof Error) return errorFields(value, each);
  if (value instanceof ArrayBuffer) return { base64: Buffer.from(value).toString('base64') };
  if (ArrayBuffer.isView(value)) {
    return { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  }
  if (value instanceof Map) return [...value].map(([key, item]) => [each(key), each(item)]);
  if (value instanceof Set) return [...value].map(each);
  if (Array.isArray(value)) return value.map((item) => each(item) ?? null);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, each(item)]));
}

function errorFields(error: Error, each: (value: unknown) => unknown): Record<string, unknown> {
  const { name, message, cause } = error;
  const { errors } = error as { errors?: unknown };
  const own = Object.fromEntries(Object.entries(error).map(([key, value]) => [key, each(value)]));
  return {
    ...{ name, message, ...own },
    ...(cause !== undefined && { cause: each(cause) }),
    // AggregateError does not list them among its properties.
    ...(Array.isArray(errors) && { errors: each(errors) }),
  };
}
