// What a user loads with `--import`: the official SDK, and this library's instrumentation. `OTLP` is the URL of the receiver.
import { metrics } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

import { instrument } from '../../dist/otel.js';

const url = process.env.OTLP;
const traces = new OTLPTraceExporter({ url: `${url}/v1/traces` });
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(traces)] }).register();
const exporter = new OTLPMetricExporter({ url: `${url}/v1/metrics` });
const reader = new PeriodicExportingMetricReader({
  exporter,
  exportIntervalMillis: 200,
  exportTimeoutMillis: 200,
});
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
instrument();
