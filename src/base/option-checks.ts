import { hint } from './near.ts';

/** Each function returns what a user gave for an option, or its default. It throws a TypeError that says what to give instead. */

/** Characters of a name, at most. */
export const LONGEST_NAME = 256;

export function text(option: string, given: string | undefined, otherwise: string): string {
  const value = given ?? otherwise;
  if (typeof value !== 'string' || !value || value.length > LONGEST_NAME) {
    throw new TypeError(`${option}: give a string of 1 to ${LONGEST_NAME} characters`);
  }
  return value;
}

export function ownGroup(group: string): string {
  if (group === '*') throw new TypeError("group: '*' means every group; give the name of one group");
  return group;
}

/** A switch in the environment. Default: off. */
export function flag(variable: string, value: string | undefined): boolean {
  switch (value?.toLowerCase()) {
    case '1':
    case 'true':
      return true;
    case undefined:
    case '0':
    case 'false':
      return false;
    default:
      throw new TypeError(`${variable}: give 1 or true, 0 or false`);
  }
}

export function boolean(option: string, given: boolean | undefined, otherwise: boolean): boolean {
  const value = given ?? otherwise;
  if (typeof value !== 'boolean') throw new TypeError(`${option}: give true or false`);
  return value;
}

/** @param most default: the largest safe integer */
export function whole(
  option: string,
  given: number | undefined,
  otherwise: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const value = given ?? otherwise;
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
    throw new TypeError(`${option}: give a whole number, ${range}`);
  }
  return value;
}

/** A time limit from a user. @throws TypeError */
export function milliseconds(option: string, given: number | undefined, otherwise: number): number {
  const value = given ?? otherwise;
  if (typeof value !== 'number' || !(value >= 0)) {
    throw new TypeError(`${option}: give a number of milliseconds, 0 or more`);
  }
  return value;
}

export function abortSignal(option: string, given: AbortSignal | undefined): AbortSignal | undefined {
  if (given !== undefined && !(given instanceof AbortSignal))
    throw new TypeError(`${option}: give an AbortSignal`);
  return given;
}

export function refuseUnknown(what: string, given: object, known: Record<string, true>): void {
  // Of `option of a pass`, too.
  const many = what.replace(/^\w+/, '$&s');
  if (typeof given !== 'object' || given === null) throw new TypeError(`give ${many} in an object`);
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(known, key)) {
      const names = Object.keys(known);
      throw new TypeError(`there is no ${what} ${key}; ${hint(key, names)} ${many} are ${names.join(', ')}`);
    }
  }
}

/** A list from a user. */
export function strings(
  option: string,
  given: readonly string[] | undefined,
  such: string,
): readonly string[] {
  // Spread, as `every` passes over the holes of a list.
  const value: unknown = Array.isArray(given) ? [...given] : (given ?? []);
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw new TypeError(`${option}: give an array of strings, such as ['${such}']`);
}

export function oneOf<Value extends string>(
  option: string,
  given: Value | undefined,
  otherwise: Value,
  values: readonly Value[],
): Value {
  const value = given ?? otherwise;
  if (values.includes(value)) return value;
  throw new TypeError(`${option}: give ${values.map((each) => `'${each}'`).join(' or ')}`);
}

/** A function that the library will call. */
export function callable<F>(option: string, given: F): F {
  if (given !== undefined && typeof given !== 'function') throw new TypeError(`${option}: give a function`);
  return given;
}

/** First and last port. */
export function portRange(
  option: string,
  [first, last]: readonly [number, number],
): readonly [number, number] {
  const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port < 65_536;
  if (typeof first === 'string' || typeof last === 'string')
    throw new TypeError(`${option}: give the port as a number, not as a string`);
  if (!isPort(first) || !isPort(last) || first > last) {
    throw new TypeError(`${option}: give ports from 0 to 65535, the first not above the last`);
  }
  return [first, last];
}
