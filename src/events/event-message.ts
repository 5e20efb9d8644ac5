import { CHANNELS } from '../base/diagnostics.ts';
import type { DiagnosedPeer } from '../base/diagnostics.ts';
import { noted } from '../base/harmless.ts';
import { messageOf } from '../base/text.ts';
import { readTrace } from '../wire/beside.ts';
import type { CallMeta, TraceContext, WireTrace } from '../wire/beside.ts';
import type { Gap } from './interests.ts';

/** What the channels about events carry. */

/**
 * An event that this process emits, on the channel `app-net:event:emit`, before it is sent.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe('app-net:event:emit', (message) => console.log((message as EmitMessage).name));
 */
export interface EmitMessage {
  /** Id of the peer of this process. */
  readonly local: string;
  /** The name of the event. */
  readonly name: string;
  /** The `meta` of the event. */
  readonly meta: CallMeta;
  /** The trace that the event belongs to. A subscriber may set it: it then travels with the event. */
  trace: TraceContext | undefined;
}

/**
 * An event that a listener of this process gets, on the channel `app-net:event:receive` before the listener is called, and on
 * `app-net:event:handled` when it has returned, or its promise has settled. Loops over `stream()` are not among them.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe('app-net:event:handled', (message) => {
 *   const { name, peer, error } = message as ReceiveMessage;
 *   if (error) console.log(`the listener to ${name} of ${peer.name} failed: ${error}`);
 * });
 */
export interface ReceiveMessage {
  /** Id of the peer of this process. */
  readonly local: string;
  /** The peer that emitted it. */
  readonly peer: DiagnosedPeer;
  /** The name of the event. */
  readonly name: string;
  /** Its number, among the events of this name. */
  readonly sequence: number;
  /** The `meta` of the event. */
  readonly meta: CallMeta;
  /** The trace that came with it. */
  readonly trace: TraceContext | undefined;
  /** Whether it is decided that it belongs to no trace: it was emitted in a call of which a sampler made none. */
  readonly untraced: boolean;
  /** A subscriber to `receive` may set it: the listener then runs inside it. */
  enter: (<T>(step: () => T) => T) | undefined;
  /** The message of the error that the listener failed with; undefined until then. */
  error: string | undefined;
}

/**
 * Events that a subscriber of this process missed, on the channel `app-net:event:gap`.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * subscribe('app-net:event:gap', (message) => {
 *   const { name, why, missed } = message as GapMessage;
 *   console.log(name, why, missed);
 * });
 */
export interface GapMessage extends Gap {
  /** Id of the peer of this process. */
  readonly local: string;
  /** The peer whose events are missing. */
  readonly peer: DiagnosedPeer;
  /** The name of the events. */
  readonly name: string;
}

/** The trace for an event: that of the call it is emitted in, or what a subscriber sets. */
export function traceOfEmit(
  local: string,
  name: string,
  meta: CallMeta,
  trace: WireTrace | undefined,
): WireTrace | undefined {
  if (!CHANNELS.eventEmit.hasSubscribers) return trace;
  const message: EmitMessage = { local, name, meta, trace: readTrace(trace) };
  CHANNELS.eventEmit.publish(message);
  return message.trace ?? (trace === false ? false : undefined);
}

export function tellHandled(message: ReceiveMessage, failure?: { error: unknown }): void {
  if (failure) noted(() => (message.error = messageOf(failure.error)));
  if (CHANNELS.eventHandled.hasSubscribers) CHANNELS.eventHandled.publish(message);
}
