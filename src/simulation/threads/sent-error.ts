import { messageOf } from '../../base/text.ts';
import { SimulationError, isError } from '../report.ts';
import type { SentError } from './messages.ts';

/** How far causes of causes are sent. */
const DEEPEST = 5;

const KNOWN = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/** An error as data: a structured clone loses what is not of every error, such as a `code`. */
interface Data {
  readonly [IS_ERROR]: true;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly more: readonly (readonly [string, unknown])[];
}

/** The key of a field that says that this is an error. */
const IS_ERROR = 'app-net error';

export function sent(error: SimulationError): SentError {
  const { message, stack = '', seed, faults, cause } = error;
  return { message, stack, seed, faults, cause: toData(cause, DEEPEST) };
}

export function received({ message, stack, seed, faults, cause }: SentError): SimulationError {
  const error = new SimulationError(message, seed, faults, fromData(cause));
  error.stack = stack;
  return error;
}

/** What cannot be sent to another thread becomes text. */
function toData(value: unknown, depth: number): unknown {
  if (isError(value)) {
    const { name, message, stack } = value;
    const more = Object.entries(value).filter(
      ([key]) => !['name', 'message', 'stack', 'cause'].includes(key),
    );
    const fields = more.map(([key, each]) => [key, toData(each, 0)] as const);
    const cause =
      depth > 0 && value.cause !== undefined ? [['cause', toData(value.cause, depth - 1)] as const] : [];
    return { [IS_ERROR]: true, name, message, stack, more: [...fields, ...cause] } satisfies Data;
  }
  try {
    return structuredClone(value);
  } catch {
    return messageOf(value);
  }
}

function fromData(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(IS_ERROR in value)) return value;
  const { name, message, stack, more } = value as Data;
  const Known = name in KNOWN ? KNOWN[name as keyof typeof KNOWN] : Error;
  const error = new Known(message);
  const hidden = { configurable: true, writable: true };
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, ...hidden });
  Object.defineProperty(error, 'stack', { value: stack, ...hidden });
  for (const [key, each] of more) {
    const enumerable = key !== 'cause';
    Object.defineProperty(error, key, { value: fromData(each), enumerable, ...hidden });
  }
  return error;
}
