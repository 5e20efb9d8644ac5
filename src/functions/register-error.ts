import { callSite } from '../base/call-site.ts';
import { isErrorClass, registerError as register } from '../wire/values/error-classes.ts';
import { refuseMinifiedError } from './bundled-tag.ts';

/**
 * Makes errors of a class arrive as that class. Register it in both processes. When an error arrives, the constructor does
 * not run: the error gets the prototype, the message, the cause and the own enumerable properties.
 *
 * @param name the name of the class on the wire. Default: the name of the class. Give one in code that is bundled, because
 *   minifiers shorten the names of classes.
 * @throws TypeError for a value that is not a class of errors, for a class without a name or with one that a minifier made,
 *   and for the name of a built-in error; Error when another class is already registered under the name
 *
 * @example
 * class OutOfPaper extends Error {
 *   tray = 1;
 * }
 * registerError(OutOfPaper, 'OutOfPaper');
 */
export function registerError(errorClass: abstract new (...args: never[]) => Error, name?: string): void {
  if (name === undefined && isErrorClass(errorClass))
    refuseMinifiedError(errorClass, callSite(registerError));
  register(errorClass, name);
}
