import { frameText, isTelling, timeText } from './step-text.ts';
import type { Step } from './trace.ts';

/** Steps in one diagram. A browser shows no more at once, and people look at the end. */
const MOST = 250;

const COLUMN = 190;
const LEFT = 110;
const ROW = 22;
const TOP = 60;
/** Characters above an arrow. */
const LONGEST = 60;

/** The last steps of a run as an SVG: a line for each process, an arrow for each message. */
export function sequenceDiagram(steps: readonly Step[], names: readonly string[], title: string): string {
  const shown = steps.filter(isTelling).slice(-MOST);
  const x = (name: string): number => LEFT + COLUMN * (Math.max(0, names.indexOf(name)) + 0.5);
  const width = LEFT + COLUMN * Math.max(1, names.length);
  const bottom = TOP + ROW * (shown.length + 1);
  const lines = names.map(
    (name) =>
      `<text x="${x(name)}" y="44" class="name">${escaped(name)}</text>` +
      `<line x1="${x(name)}" y1="52" x2="${x(name)}" y2="${bottom}" class="life"/>`,
  );
  const rows = shown.map((step, index) => row(step, TOP + ROW * (index + 1), x, width));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${bottom + 20}" viewBox="0 0 ${width} ${bottom + 20}">
<style>
text { font: 11px ui-monospace, monospace; fill: #222 }
.name { font-weight: bold; font-size: 13px; text-anchor: middle }
.middle { text-anchor: middle }
.life { stroke: #bbb; stroke-dasharray: 3 3 }
.arrow { stroke: #2563eb; marker-end: url(#head) }
.fault { fill: #fee2e2 }
.bad { fill: #b91c1c; font-weight: bold }
.time { fill: #777 }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#2563eb"/></marker></defs>
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="20">${escaped(title)}</text>
${lines.join('\n')}
${rows.join('\n')}
</svg>
`;
}

function row(step: Step, y: number, x: (name: string) => number, width: number): string {
  const time = `<text x="8" y="${y}" class="time">${timeText(step.at)}</text>`;
  const { kind, who, from = '', text } = step;
  if (kind === 'message' || kind === 'wire') {
    const [begin, end] = [x(from), x(who)];
    const words = cut(kind === 'message' ? frameText(text) : text);
    return (
      `${time}<line x1="${begin}" y1="${y}" x2="${end}" y2="${y}" class="arrow"/>` +
      `<text x="${(begin + end) / 2}" y="${y - 4}" class="middle">${escaped(words)}</text>`
    );
  }
  if (kind === 'peer')
    return `${time}<text x="${x(who)}" y="${y}" class="middle">${escaped(cut(text))}</text>`;
  const style = kind === 'fault' ? ['fault', 'bad'] : ['', ''];
  const band =
    kind === 'fault'
      ? `<rect x="${LEFT}" y="${y - 14}" width="${width - LEFT}" height="18" class="fault"/>`
      : '';
  return `${time}${band}<text x="${LEFT + 8}" y="${y}" class="${style[1]}">${escaped(text)}</text>`;
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function escaped(text: string): string {
  return text.replace(/[&<>"\p{Cc}]/gu, (each) => `&#${each.codePointAt(0)};`);
}
