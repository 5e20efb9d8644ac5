import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { eventually } from '../../spec/support/eventually.ts';
import { OtlpReceiver } from '../../spec/support/otlp-receiver.ts';
import type { ReceivedSpan } from '../../spec/support/otlp-receiver.ts';

/** Draws `docs/trace.svg` from what the official exporters of three processes send: `npx tsx tools/trace/draw.ts`. */

const SHOP = `
import { trace } from '@opentelemetry/api';
import { peers, remote } from 'app-net';
await Promise.all(['orders.place', 'stock.take'].map((tag) => peers.ready(tag)));
const place = remote('orders.place');
const traceIds = [];
for (let n = 0; n < 20; n += 1) {
  await trace.getTracer('shop').startActiveSpan('POST /orders', async (span) => {
    await place.any()('book');
    span.end();
    traceIds.push(span.spanContext().traceId);
  });
}
console.log(JSON.stringify({ traceIds }));
`;

const ORDERS = `
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, event, remote, serve } from 'app-net';
const take = remote('stock.take');
const lines = remote('stock.lines');
const placed = event('orders.placed');
connect('orders.place', async function place(what) {
  await take.any({}, { wait: true })(what);
  for await (const line of lines.any()(what)) await sleep(2);
  placed.emit(what);
  return 42;
});
await serve();
`;

const STOCK = `
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, event, serve } from 'app-net';
connect('stock.take', async () => { await sleep(4); });
connect('stock.lines', async function* lines() {
  for (let n = 0; n < 3; n += 1) { await sleep(3); yield n; }
});
event('orders.placed').subscribe(async () => { await sleep(5); });
await serve();
`;

const COLORS: Record<string, string> = { shop: '#4c78a8', orders: '#f58518', stock: '#54a24b' };
const KINDS: Record<number, string> = { 1: '', 2: 'server', 3: 'client', 5: 'consumer' };
const ROW = 24;
const LEFT = 300;
const WIDTH = 900;

const receiver = await OtlpReceiver.open();
const LIBRARY = new URL('../../dist/index.js', import.meta.url).href;
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const processes: ChildProcess[] = [];
const folder = await mkdtemp(join(tmpdir(), 'app-net-trace-'));
try {
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  const start = async (name: string, script: string): Promise<ChildProcess> => {
    const file = join(folder, `${name}.mjs`);
    await writeFile(file, script.replaceAll("'app-net'", `'${LIBRARY}'`));
    const tracing = join(REPOSITORY, 'spec/support/tracing.js');
    const env = { ...process.env, APP_NET_RUNTIME_DIR: folder, OTLP: `${receiver.url}/${name}` };
    const child = spawn(process.execPath, ['--import', tracing, file], {
      ...{ cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] },
    });
    processes.push(child);
    return child;
  };
  await start('stock', STOCK);
  await start('orders', ORDERS);
  const shop = await start('shop', SHOP);
  const [line] = (await once(createInterface({ input: shop.stdout! }), 'line')) as [string];
  const { traceIds } = JSON.parse(line) as { traceIds: string[] };
  const spansOf = (id: string): ReceivedSpan[] => receiver.spans.filter(({ traceId }) => traceId === id);
  // One for the shop, two for each of three calls, one for the event.
  await eventually(() => traceIds.every((id) => spansOf(id).length === 8));
  // The first calls of a process compile code, and a busy machine makes pauses: the shortest shows neither.
  const [shortest] = traceIds.map(spansOf).toSorted((a, b) => lengthOf(a) - lengthOf(b));
  await writeFile(join(REPOSITORY, 'docs/trace.svg'), draw(shortest!));
} finally {
  for (const child of processes) child.kill('SIGKILL');
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
}

function lengthOf(spans: ReceivedSpan[]): number {
  const ends = spans.map(({ end }) => end);
  return Math.max(...ends) - Math.min(...spans.map(({ start }) => start));
}

function draw(spans: ReceivedSpan[]): string {
  const rows = inOrder(spans, undefined, 0);
  const begin = Math.min(...spans.map(({ start }) => start));
  const end = Math.max(...spans.map((span) => span.end));
  const x = (time: number): number => LEFT + ((time - begin) / (end - begin)) * (WIDTH - LEFT - 70);
  const lines = rows.map(({ span, depth }, index) => {
    const y = 40 + index * ROW;
    const from = x(span.start);
    const width = Math.max(2, x(span.end) - from);
    const color = COLORS[span.service] ?? '#888';
    const name = `${span.name}${KINDS[span.kind] ? `  ${KINDS[span.kind]}` : ''}`;
    const took = `${((span.end - span.start) / 1e6).toFixed(1)} ms`;
    return (
      `<rect x="8" y="${y + 4}" width="10" height="10" rx="2" fill="${color}"/>` +
      `<text x="${24 + depth * 14}" y="${y + 14}">${name}</text>` +
      `<rect x="${from.toFixed(1)}" y="${y + 2}" width="${width.toFixed(1)}" height="14" rx="2" fill="${color}"/>` +
      `<text x="${(from + width + 6).toFixed(1)}" y="${y + 14}" fill="#888">${took}</text>`
    );
  });
  const legend = Object.entries(COLORS).map(
    ([service, color], index) =>
      `<rect x="${8 + index * 90}" y="10" width="10" height="10" rx="2" fill="${color}"/><text x="${24 + index * 90}" y="20">${service}</text>`,
  );
  const height = 52 + rows.length * ROW;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, monospace" font-size="12" fill="#333">` +
    `<title>One trace of three processes</title><rect width="100%" height="100%" fill="#fff"/>\n${[...legend, ...lines].join('\n')}\n</svg>\n`
  );
}

function inOrder(
  spans: ReceivedSpan[],
  parent: string | undefined,
  depth: number,
): { span: ReceivedSpan; depth: number }[] {
  const found: { span: ReceivedSpan; depth: number }[] = [];
  const children = spans.filter(({ parentSpanId }) => parentSpanId === parent);
  for (const span of children.toSorted((a, b) => a.start - b.start)) {
    found.push({ span, depth }, ...inOrder(spans, span.spanId, depth + 1));
  }
  return found;
}
