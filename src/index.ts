/// <reference types="node" preserve="true" />

/**
 * Processes call each other's functions. Import from `app-net`.
 *
 * @module app-net
 */

export {
  configure,
  connect,
  disconnect,
  use,
  remote,
  getPeers,
  metrics,
  evidence,
  peers,
  event,
  serve,
  stop,
} from './peer/default-peer.ts';
export { createPeer } from './peer/create-peer.ts';
export type { Peer } from './peer/peer.ts';
export type {
  ActorObserver,
  ActorSnapshot,
  ActorSubscription,
  ActorSystem,
  InspectedActor,
  InspectionEvent,
  Inspector,
  PeerActor,
} from './peer/actor-types.ts';
export type { ConnectOptions, RecordOptions, RemoteOptions } from './functions/connect-arguments.ts';
export type {
  Connect,
  ConnectedRecord,
  FunctionRecord,
  InThreads,
  StaticMethodDecorator,
  ThreadedRecord,
} from './functions/connect-types.ts';
export { connected } from './functions/connected.ts';
export { current } from './calls/context.ts';
export type { CallContext } from './calls/context.ts';
export { NetError } from './base/errors.ts';
export type { NetErrorCode, NetErrorDetails, Ran } from './base/errors.ts';
export { registerError } from './functions/register-error.ts';
export type { AnyFunction, UntypedFunction } from './base/function-types.ts';
export type {
  CallerCounters,
  DispatcherCounters,
  EventsCounters,
  InterestsCounters,
  FunctionWork,
  PeerInfo,
  TopicsCounters,
} from './presence/set/peer-info.ts';
export type { Logger, LogLevel } from './base/log.ts';
export type { LoopLoad } from './base/time/loop-load.ts';
export type { Remote } from './base/function-types.ts';
export type { Connected, RemoteFunction, Target, Threaded } from './functions/connected.ts';
export type { DiagnosedPeer } from './base/diagnostics.ts';
export type { AnyMessage, CallMessage, RefuseMessage } from './calls/call-message.ts';
export type { LinkMessage } from './connection/link/link-message.ts';
export type { EmitMessage, GapMessage, ReceiveMessage } from './events/event-message.ts';
export type { JoinMessage, LeaveMessage } from './peer/follow-discovery.ts';
export { metricsText } from './telemetry/metrics-text.ts';
export type { MetricsTextOptions } from './telemetry/metrics-text.ts';
export type { CallSeries, PeerMetrics } from './presence/set/peer-metrics.ts';
export type {
  PeerWatch,
  WatchedAbout,
  WatchedActor,
  WatchedCall,
  WatchedEvent,
  WatchedFunction,
  WatchedHappening,
  WatchedLink,
  WatchedLoad,
  WatchedQueue,
} from './presence/set/peer-watch.ts';
export type { CallEnd } from './calls/call-end.ts';
export type { Hook, HookedCall } from './calls/hooks.ts';
export type { NetEvent } from './events/event.ts';
export type {
  EmitOptions,
  EventListener,
  Received,
  SubscribeOptions,
  SubscribedOptions,
} from './events/event-types.ts';
export type { EventStream, EventStreamOptions } from './events/event-stream.ts';
export type { Subscription } from './events/subscription.ts';
export type { Gap } from './events/interests.ts';
export type { PeerLimits } from './peer/options/limit-options.ts';
export type { SlowSubscribers } from './events/topics.ts';
export type { PageAttachment } from './peer/guests/page-doors.ts';
export type { PagesOptions } from './peer/guests/page-options.ts';
export type { PassOptions } from './peer/guests/pass-options.ts';
export type { PeerOptions } from './peer/options/options.ts';
export type { ServeOptions, StopOptions } from './peer/stop-on.ts';
export type { AtLeast } from './presence/set/at-least.ts';
export type { Peers, PeersEvents, ReadyOptions } from './presence/set/peers.ts';
export type { PeersChange } from './presence/set/view.ts';
export type { AnyOptions } from './many/any.ts';
export type { PeerResult } from './many/all.ts';
export type { MapOptions, MapProgress, MapResult } from './many/map-options.ts';
export type { AllFunction, MapFunction, MapSignatures, MapWithArgs } from './many/many.ts';
export type { Inputs } from './many/map-inputs.ts';
export type { Results } from './many/results.ts';
export type { CallOptions, RemotePeer } from './presence/set/remote-peer.ts';
export type { Evidence, Findings, Redial } from './connection/link/evidence.ts';
export type { LeaveReason } from './connection/link/evidence.ts';
export type { Scope } from './transport/scope.ts';
export type { Selector } from './presence/set/selector.ts';
export type { CallMeta, TraceContext } from './wire/beside.ts';
export type { WebServer } from './transport/attach.ts';
export type { PageCertificate } from './transport/pages.ts';
export type { TlsOptions } from './transport/tls.ts';
export type { Clock } from './base/time/clock.ts';
