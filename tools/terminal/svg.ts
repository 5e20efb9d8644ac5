import type { Frame, Row, Run } from './screen.ts';

/** A recording as one SVG that plays by itself, with nothing in it but text and a style sheet. */

const CELL = { width: 8.4, height: 19 };
const FONT = 14;
const MARGIN = 16;
const BAR = 30;

/** How long the screen may stay as it is, in ms: nobody wants to watch somebody wait. */
const LONGEST_PAUSE = 1_600;
/** The last one stays longer before it begins anew, in ms. */
const LAST_PAUSE = 4_000;

const COLORS = ['#484f58', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4'];
const BRIGHT = ['#6e7681', '#ffa198', '#56d364', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#ffffff'];

export function svgOf(frames: readonly Frame[], columns: number, rows: number): string {
  const width = columns * CELL.width + 2 * MARGIN;
  const height = rows * CELL.height + 2 * MARGIN + BAR;
  const names = new Map<string, string>();
  const definitions: string[] = [];
  const nameOf = (row: Row): string => {
    const key = JSON.stringify(row);
    const known = names.get(key);
    if (known) return known;
    const name = `r${names.size}`;
    names.set(key, name);
    definitions.push(`<g id="${name}">${row.map((run) => text(run)).join('')}</g>`);
    return name;
  };
  const shown = frames.map((frame, index) => {
    const lines = frame.rows.map((row, y) =>
      row.length === 0 ? '' : `<use href="#${nameOf(row)}" y="${round((y + 1) * CELL.height - 5)}"/>`,
    );
    const { column, row } = frame.cursor;
    const cursor = `<rect class="c" x="${round(column * CELL.width)}" y="${round(row * CELL.height)}" width="${CELL.width}" height="${CELL.height - 2}"/>`;
    return `<g transform="translate(${index * 2 * Math.ceil(width)} 0)">${lines.join('')}${cursor}</g>`;
  });
  const { seconds, steps } = timing(frames, 2 * Math.ceil(width));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="img" aria-label="app-net in a terminal">`,
    '<style>',
    `text{font:${FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#e6edf3}`,
    '.b{font-weight:bold}.d{opacity:.6}.c{fill:#e6edf3;opacity:.7}',
    ...COLORS.map((color, index) => `.f${index}{fill:${color}}`),
    ...BRIGHT.map((color, index) => `.f${index + 8}{fill:${color}}`),
    `.play{animation:play ${seconds}s steps(1,end) infinite}`,
    `@keyframes play{${steps}}`,
    '</style>',
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    ...['#ff5f56', '#ffbd2e', '#27c93f'].map(
      (color, index) => `<circle cx="${MARGIN + 6 + index * 20}" cy="${MARGIN + 4}" r="6" fill="${color}"/>`,
    ),
    `<defs>${definitions.join('')}</defs>`,
    `<svg x="${MARGIN}" y="${MARGIN + BAR}" width="${round(width - 2 * MARGIN)}" height="${round(rows * CELL.height)}">`,
    `<g class="play">${shown.join('\n')}</g>`,
    '</svg></svg>',
    '',
  ].join('\n');
}

function text({ column, text: value, color, bold, dim }: Run): string {
  const classes = [color !== undefined && `f${color}`, bold && 'b', dim && 'd'].filter(Boolean).join(' ');
  const content = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  if (content.trim() === '') return '';
  // Every font has its own width of a character; what stands below each other must stay so.
  const length = `textLength="${round(value.length * CELL.width)}" lengthAdjust="spacingAndGlyphs"`;
  return `<text x="${round(column * CELL.width)}" ${length}${classes ? ` class="${classes}"` : ''} xml:space="preserve">${content}</text>`;
}

function timing(frames: readonly Frame[], step: number): { seconds: number; steps: string } {
  const pauses = frames.map(({ at }, index) => {
    const next = frames[index + 1];
    return next ? Math.min(next.at - at, LONGEST_PAUSE) : LAST_PAUSE;
  });
  const total = pauses.reduce((sum, pause) => sum + pause, 0);
  let passed = 0;
  const steps = pauses.map((pause, index) => {
    const percent = round((passed / total) * 100, 1_000);
    passed += pause;
    return `${percent}%{transform:translateX(-${index * step}px)}`;
  });
  return {
    seconds: round(total / 1_000),
    steps: `${steps.join('')}100%{transform:translateX(-${(frames.length - 1) * step}px)}`,
  };
}

function round(value: number, parts = 100): number {
  return Math.round(value * parts) / parts;
}
