import { isBriefText } from '../../base/text.ts';
import { NOT_PROPERTIES, classNames, isError } from '../../wire/values/error-classes.ts';
import { put } from '../../wire/values/meta.ts';

/** Errors as JSON, see `wire/values/error-parts.ts`. Parts that cannot be sent or read are left out. */

/** The writer of values, as far as an error needs it. */
export interface ErrorWriter {
  /** @throws for a value that cannot be sent */
  value(value: unknown): unknown;
  within<T>(container: object, write: () => T): T;
  at(key: string | number): void;
  attempt(write: () => void): void;
  /** Cuts text that is too long, and counts it. */
  text(text: string): string;
  refuse(what: string): never;
}

/** Characters of a message and a stack that are sent. */
const LONGEST = 65_536;

/** How many errors are sent with one: its causes, and the errors of an AggregateError. */
const MOST_ERRORS = 64;

/** @param other writes a cause, or one of the errors of an AggregateError */
export function writeError(
  encoder: ErrorWriter,
  error: Error,
  other: (value: unknown) => unknown = (value) => encoder.value(value),
): Record<string, unknown> {
  const { name, message } = error as { name: unknown; message: unknown };
  const json: Record<string, unknown> = {
    name: encoder.text(textOf(name, 'Error')),
    message: encoder.text(textOf(message, '')),
    classes: classNames(error),
  };
  const part = (into: object, key: string | number, write: () => unknown): void => {
    encoder.at(key);
    encoder.attempt(() => put(into, key, write()));
  };
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  encoder.within(error, () => {
    if (code !== undefined) part(json, 'code', () => encoder.value(code));
    if (Object.hasOwn(error, 'cause')) part(json, 'cause', () => other(cause));
    if (Array.isArray(errors)) {
      part(json, 'errors', () =>
        encoder.within([], () =>
          errors.slice(0, MOST_ERRORS).map((each, index) => {
            encoder.at(index);
            return other(each);
          }),
        ),
      );
    }
    const properties = (json['properties'] = {});
    encoder.at('properties');
    encoder.within([], () => {
      for (const key of Object.keys(error)) {
        const write = (): unknown => encoder.value((error as unknown as Record<string, unknown>)[key]);
        if (!NOT_PROPERTIES.has(key)) part(properties, key, write);
      }
    });
  });
  if (typeof error.stack === 'string') json['stack'] = encoder.text(error.stack.slice(0, LONGEST));
  return json;
}

function textOf(value: unknown, otherwise: string): string {
  return isBriefText(value) ? String(value).slice(0, LONGEST) : otherwise;
}

/** How far a chain of causes is followed. */
const LONGEST_CHAIN = 16;

/** What was thrown: `{ error }`, `{ value }`, or `{}` for undefined. */
export function writeThrown(encoder: ErrorWriter, thrown: unknown, left = LONGEST_CHAIN): object {
  if (thrown === undefined) return {};
  return encoder.within([], () => {
    if (!isError(thrown)) {
      encoder.at('value');
      return { value: encoder.value(thrown) };
    }
    encoder.at('error');
    const other = (cause: unknown): object =>
      left > 0 ? writeThrown(encoder, cause, left - 1) : encoder.refuse('one cause too many');
    return { error: writeError(encoder, thrown, other) };
  });
}
