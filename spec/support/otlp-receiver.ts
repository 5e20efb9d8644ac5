import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A span as the official exporter writes it, with its attributes as an object. */
export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** Of OTLP: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly start: number;
  readonly end: number;
  readonly attributes: Record<string, unknown>;
  readonly events: { name: string; attributes: Record<string, unknown> }[];
  readonly links: { traceId: string; spanId: string }[];
  readonly failed: boolean;
}

export interface ReceivedHistogram {
  readonly name: string;
  readonly unit: string;
  readonly points: { attributes: Record<string, unknown>; count: number; sum: number; bounds: number[] }[];
}

interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}

/** An OTLP/HTTP receiver: it takes what the official exporters send, as JSON, to `<url>/<service>`. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly histograms: ReceivedHistogram[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<OtlpReceiver> {
    const server = createServer();
    const receiver = new OtlpReceiver(server);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = Buffer.concat(parts);
        const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
        const [, service, , what] = request.url!.split('/');
        if (what === 'traces') receiver.#takeSpans(JSON.parse(text), service!);
        else receiver.#takeMetrics(JSON.parse(text));
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  // oxlint-disable-next-line no-explicit-any -- the exporter's own JSON
  #takeSpans({ resourceSpans }: any, service: string): void {
    for (const { scopeSpans } of resourceSpans) {
      for (const span of scopeSpans.flatMap((scope: { spans: unknown[] }) => scope.spans)) {
        this.spans.push({
          ...{ service, name: span.name, kind: span.kind },
          ...{ traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId || undefined },
          ...{ start: Number(span.startTimeUnixNano), end: Number(span.endTimeUnixNano) },
          attributes: attributesOf(span.attributes),
          events: (span.events ?? []).map((event: { name: string; attributes: KeyValue[] }) => ({
            name: event.name,
            attributes: attributesOf(event.attributes),
          })),
          links: span.links ?? [],
          failed: span.status?.code === 2,
        });
      }
    }
  }

  // oxlint-disable-next-line no-explicit-any -- the exporter's own JSON
  #takeMetrics({ resourceMetrics }: any): void {
    for (const { scopeMetrics } of resourceMetrics) {
      for (const metric of scopeMetrics.flatMap((scope: { metrics: unknown[] }) => scope.metrics)) {
        const { name, unit, histogram } = metric;
        this.histograms.push({
          name,
          unit,
          // oxlint-disable-next-line no-explicit-any
          points: histogram.dataPoints.map((point: any) => ({
            attributes: attributesOf(point.attributes),
            count: Number(point.count),
            sum: point.sum,
            bounds: point.explicitBounds,
          })),
        });
      }
    }
  }
}

function attributesOf(list: KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
