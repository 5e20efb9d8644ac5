/**
 * A web page as a peer: it calls the functions of a server, is called, streams, and hears events. Import from `app-net/page`. It
 * needs a pass, which `peer.pass()` makes.
 *
 * @module app-net/page
 */

export { connectPage } from './page/connect-page.ts';
export type { PageNet } from './page/page.ts';
export type {
  ConnectPageOptions,
  PageCallContext,
  PageCallOptions,
  PageClose,
  PageEvents,
  PagePeer,
  PageRemote,
} from './page/page-types.ts';
export type { PageEvent, PageGap, PageReceived, PageSubscribeOptions } from './page/page-event.ts';
export type { PageState } from './page/states.ts';
export type { AnyFunction, Remote, UntypedFunction } from './base/function-types.ts';
export type { CallMeta } from './wire/beside.ts';
export { NetError } from './base/errors.ts';
export type { NetErrorCode, NetErrorDetails, Ran } from './base/errors.ts';
export { registerError } from './wire/values/error-classes.ts';
