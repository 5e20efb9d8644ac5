import { NOT_PROPERTIES, classNames } from './error-classes.ts';
import { put } from './meta.ts';
import { trimStack } from '../../base/stack.ts';
import { isBriefText } from '../../base/text.ts';

/**
 * Writes an error as JSON, both for a thrown error and for an error inside a value. Parts that cannot be sent or read are left
 * out, and parts that are too large are cut: an error without its `socket` property is better than no error.
 */

/** The writer of values, as far as an error needs it. */
export interface PartWriter {
  /** Whether errors are sent with their stack. */
  readonly stacks: boolean;
  cut(text: string): string;
  /** @throws if there is no room for that many characters */
  pay(characters: number): void;
  /** @throws for a value that cannot be sent */
  read(value: unknown): unknown;
  attempt(read: () => unknown, failed?: (error: unknown) => void): { json: unknown } | undefined;
  enter(container: object): void;
  at(key: string | number): void;
  leave(): void;
}

/** Stand for containers that are in the JSON of an error, but not in the error. */
const ERRORS = Object.freeze([]);
const PROPERTIES = Object.freeze({});

/**
 * @param other writes a cause, or one of the errors of an AggregateError
 * @throws only if the error is nested too deep
 */
export function writeError(
  writer: PartWriter,
  error: Error,
  other: (value: unknown) => unknown = (value) => writer.read(value),
): Record<string, unknown> {
  const name = textOf(() => error.name);
  const message = textOf(() => error.message);
  const json: Record<string, unknown> = {
    name: writer.cut(name ?? 'Error'),
    message: writer.cut(message ?? ''),
  };
  const names = classNames(error).map((each) => writer.cut(each));
  if (names.length !== 1 || names[0] !== json['name']) json['classes'] = names;
  writer.enter(error);
  const part = (key: string, read: () => unknown): void => {
    writer.at(key);
    const written = writer.attempt(read);
    if (written && written.json !== ABSENT) json[key] = written.json;
  };
  part('code', () => orAbsent((error as { code?: unknown }).code, (code) => writer.read(code)));
  part('cause', () => (Object.hasOwn(error, 'cause') ? other(error.cause) : ABSENT));
  part('errors', () => writeErrors(writer, ownArray(error, 'errors'), other));
  part('properties', () => writeProperties(writer, error));
  writer.leave();
  // The stack comes last because it may be long, and the other parts are more useful. The engine makes its first line of the
  // name and the message when it is read.
  if (writer.stacks && name !== undefined && message !== undefined) {
    const stack = attemptText(() => error.stack);
    if (stack !== undefined) json['stack'] = writer.cut(trimStack(stack.slice(0, LONGEST_STACK)));
  }
  return json;
}

/** Characters of a stack that are looked at. A stack contains the message, and hundreds of errors may share a long one. */
const LONGEST_STACK = 65_536;

/** Stands for a part that the error does not have. */
const ABSENT = Symbol('absent');

function orAbsent(value: unknown, write: (value: unknown) => unknown): unknown {
  return value === undefined ? ABSENT : write(value);
}

function writeErrors(
  writer: PartWriter,
  errors: readonly unknown[] | undefined,
  other: (value: unknown) => unknown,
): unknown {
  if (!errors) return ABSENT;
  const json: unknown[] = [];
  writer.enter(ERRORS);
  for (const each of errors) {
    writer.at(json.length);
    const written = writer.attempt(() => other(each));
    if (written) json.push(written.json);
  }
  writer.leave();
  return json;
}

/** The error's own enumerable properties that have no field of their own, without the undefined ones. */
function writeProperties(writer: PartWriter, error: Error): unknown {
  const json = {};
  writer.enter(PROPERTIES);
  for (const key of Object.keys(error)) {
    if (NOT_PROPERTIES.has(key)) continue;
    writer.at(key);
    const written = writer.attempt(() => {
      writer.pay(key.length);
      return orAbsent((error as unknown as Record<string, unknown>)[key], (value) => writer.read(value));
    });
    if (written && written.json !== ABSENT) put(json, key, written.json);
  }
  writer.leave();
  return Object.keys(json).length > 0 ? json : ABSENT;
}

function ownArray(error: Error, key: string): readonly unknown[] | undefined {
  if (!Object.hasOwn(error, key)) return undefined;
  const value = (error as unknown as Record<string, unknown>)[key];
  return Array.isArray(value) ? (value as unknown[]) : undefined;
}

/**
 * Names and messages are strings only according to the types; reading one may also throw. An object is not turned into text: that
 * runs its code, and can make more text than the process can hold.
 */
function textOf(read: () => unknown): string | undefined {
  try {
    const value = read();
    return isBriefText(value) ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

function attemptText(read: () => unknown): string | undefined {
  try {
    const value = read();
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
