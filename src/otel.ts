/// <reference types="node" preserve="true" />

/**
 * OpenTelemetry for calls and events. It needs the package `@opentelemetry/api`. Import from `app-net/otel`.
 *
 * @module app-net/otel
 */

export { instrument } from './telemetry/instrument.ts';
export { metricsText } from './telemetry/metrics-text.ts';
export type { MetricsTextOptions } from './telemetry/metrics-text.ts';
export type { InstrumentOptions } from './telemetry/instrument.ts';
