import { useEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';

import { duration } from './format.ts';
import { BUCKETS, Calls, bucketAt, endOf } from './latency.ts';
import { between, onPalette, palette } from './palette.ts';
import type { Palette } from './palette.ts';
import { TICK, TICKS } from './store.ts';
import type { Side, Store } from './store.ts';

/** How long calls took, over time: a column for each message, a row for each bucket. */

interface Properties {
  store: Store;
  /** One function only. */
  tag: string | undefined;
  side: Side;
}

const LEFT = 58;
const BOTTOM = 22;

/** Rows that are always shown: 0.1 ms to 100 ms. */
const LEAST = [Math.floor(bucketAt(0.05)), Math.ceil(bucketAt(50))] as const;

/** The percentiles are of this many messages: 2 s. */
const SMOOTH = 8;

export function Heat({ store, tag, side }: Properties): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const given = useRef({ tag, side });
  given.current = { tag, side };
  useEffect(() => {
    const paint = (): void => draw(canvas.current!, store, given.current);
    const resized = new ResizeObserver(paint);
    resized.observe(canvas.current!);
    const ends = [() => resized.disconnect(), store.listen(paint), onPalette(paint)];
    return () => {
      for (const end of ends) end();
    };
  }, [store]);
  useEffect(() => draw(canvas.current!, store, { tag, side }), [store, tag, side]);
  const calls = store.total(side);
  const [median, late] = [calls.percentile(0.5), calls.percentile(0.99)];
  const words =
    median === undefined
      ? 'no calls in the last 10 seconds'
      : `half of the calls of the last 10 seconds took at most ${duration(median)}, 99 % at most ${duration(late!)}`;
  return (
    <canvas ref={canvas} class="heat" role="img" aria-label={`Durations of calls over time: ${words}.`} />
  );
}

/** Messages in a column, and buckets in a row of cells: small cells of few calls would look like dust. */
const WIDE = 2;
const HIGH = 2;

interface Column {
  readonly index: number;
  readonly calls: Calls;
}

function columnsOf({ ticks, at }: Store, { tag, side }: Omit<Properties, 'store'>): Column[] {
  return ticks.map((tick) => {
    const calls = new Calls();
    for (const each of tick.functions)
      if (each.side === side && (tag === undefined || each.tag === tag)) calls.add(each);
    return { index: TICKS - 1 - Math.round((at - tick.at) / TICK), calls };
  });
}

/** The rows that are drawn: all that have calls, and some more. */
function rowsOf(columns: readonly Column[]): [number, number] {
  let [low, high]: [number, number] = [...LEAST];
  for (const { calls } of columns) {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      if (calls.times[bucket] === 0) continue;
      low = Math.min(low, bucket - 1);
      high = Math.max(high, bucket + 2);
    }
  }
  // Whole cells.
  const first = Math.max(0, low - (low % HIGH));
  return [first, Math.min(BUCKETS - 1, high % HIGH === 0 ? high + 1 : high)];
}

function draw(canvas: HTMLCanvasElement, store: Store, given: Omit<Properties, 'store'>): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (width === 0 || height === 0) return;
  const pixels = devicePixelRatio || 1;
  canvas.width = Math.round(width * pixels);
  canvas.height = Math.round(height * pixels);
  const context = canvas.getContext('2d')!;
  context.setTransform(pixels, 0, 0, pixels, 0, 0);
  const colors = palette();
  const columns = columnsOf(store, given);
  const [low, high] = rowsOf(columns);
  const area = { width: width - LEFT - 4, height: height - BOTTOM - 4 };
  const cells = cellsOf(columns, low, high, colors);
  context.imageSmoothingEnabled = false;
  context.drawImage(cells, LEFT, 4, area.width, area.height);
  const yOf = (bucket: number): number => 4 + area.height * (1 - (bucket - low) / (high - low + 1));
  drawAxes(context, colors, area, { low, high, yOf });
  drawPercentile(context, columns, 0.99, colors.warn, area, yOf);
  drawPercentile(context, columns, 0.5, colors.text, area, yOf);
}

/** The cells, one pixel each. */
function cellsOf(
  columns: readonly Column[],
  low: number,
  high: number,
  { heat }: Palette,
): HTMLCanvasElement {
  const cells = document.createElement('canvas');
  cells.width = TICKS / WIDE;
  cells.height = (high - low + 1) / HIGH;
  const counts = new Float64Array(cells.width * cells.height);
  for (const { index, calls } of columns) {
    if (index < 0) continue;
    for (let bucket = low; bucket <= high; bucket += 1) {
      counts[Math.floor((high - bucket) / HIGH) * cells.width + Math.floor(index / WIDE)]! +=
        calls.times[bucket]!;
    }
  }
  const context = cells.getContext('2d')!;
  const image = context.createImageData(cells.width, cells.height);
  const most = counts.reduce((one, other) => Math.max(one, other), 1);
  for (const [at, count] of counts.entries()) {
    if (count === 0) continue;
    image.data.set([...between(heat, 0.1 + (0.9 * Math.log(1 + count)) / Math.log(1 + most)), 255], at * 4);
  }
  context.putImageData(image, 0, 0);
  return cells;
}

interface Rows {
  readonly low: number;
  readonly high: number;
  readonly yOf: (bucket: number) => number;
}

function drawAxes(
  context: CanvasRenderingContext2D,
  colors: Palette,
  area: { width: number; height: number },
  { low, high, yOf }: Rows,
): void {
  context.font = '11px system-ui, "Liberation Sans", sans-serif';
  context.lineWidth = 1;
  context.strokeStyle = colors.line;
  context.fillStyle = colors.muted;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (let time = 0.01; time <= endOf(high) * 1.01; time *= 10) {
    const bucket = bucketAt(time);
    if (bucket < low) continue;
    const y = yOf(bucket);
    context.globalAlpha = 0.7;
    context.beginPath();
    context.moveTo(LEFT, y);
    context.lineTo(LEFT + area.width, y);
    context.stroke();
    context.globalAlpha = 1;
    context.fillText(duration(Number(time.toPrecision(2))), LEFT - 8, Math.max(8, Math.min(y, area.height)));
  }
  context.textBaseline = 'alphabetic';
  const seconds = (TICKS * TICK) / 1_000;
  for (let back = 0; back <= seconds; back += 30) {
    context.textAlign = back === 0 ? 'right' : 'center';
    const x = LEFT + area.width * (1 - back / seconds);
    if (back < seconds) context.fillText(back === 0 ? 'now' : `−${back} s`, x, area.height + 20);
  }
}

function drawPercentile(
  context: CanvasRenderingContext2D,
  columns: readonly Column[],
  share: number,
  color: string,
  area: { width: number; height: number },
  yOf: (bucket: number) => number,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.lineJoin = 'round';
  context.beginPath();
  let isDown = false;
  for (const [at, { index }] of columns.entries()) {
    const value = smooth(columns, at).percentile(share);
    if (value === undefined || index < 0) {
      isDown = false;
      continue;
    }
    const [x, y] = [LEFT + ((index + 0.5) / TICKS) * area.width, yOf(bucketAt(value))];
    if (isDown) context.lineTo(x, y);
    else context.moveTo(x, y);
    isDown = true;
  }
  context.stroke();
}

function smooth(columns: readonly Column[], at: number): Calls {
  const sum = new Calls();
  for (let each = Math.max(0, at - SMOOTH + 1); each <= at; each += 1) sum.addAll(columns[each]!.calls);
  return sum;
}
