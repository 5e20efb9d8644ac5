import type { NetError } from '../../base/errors.ts';

/**
 * Errors that say what became of a call, as opposed to errors that its function threw. They are answered as they are. A NetError
 * of a function means that the function ran.
 */
const failures = new WeakSet<object>();

export function markFailure(error: NetError): void {
  failures.add(error);
}

export function isFailure(error: unknown): error is NetError {
  return typeof error === 'object' && error !== null && failures.has(error);
}
