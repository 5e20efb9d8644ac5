// Draws results.svg: calls per second one at a time and with 512 in flight, app-net in colour.
import * as vega from 'vega';
import { summarise } from '../lib/statistics.js';
import { round } from './round.js';

const PANELS = [
  { metric: 'calls-512', title: '512 calls in flight' },
  { metric: 'calls-1', title: 'One call at a time' },
];
const COLOURS = { subject: '#d9480f', control: '#adb5bd', other: '#4c6ef5' };
const BAR_STEP = 26;

/** Resolves to SVG text, or to undefined when there is nothing to draw. */
export async function drawChart({ rounds, cases }, controls) {
  const panels = PANELS.map(({ metric, title }) => ({
    title,
    bars: cases
      .flatMap((name) => {
        const summary = summarise(rounds, name, metric);
        return summary ? [{ name, value: summary.median, kind: kindOf(name, controls) }] : [];
      })
      .sort((a, b) => b.value - a.value)
      .map((bar) => ({ ...bar, colour: COLOURS[bar.kind], text: round(bar.value) })),
  })).filter(({ bars }) => bars.length > 0);
  if (panels.length === 0) return undefined;
  const view = new vega.View(vega.parse(specification(panels)), { renderer: 'none' });
  return view.toSVG();
}

function kindOf(name, controls) {
  if (name === 'app-net') return 'subject';
  return controls.has(name) ? 'control' : 'other';
}

function specification(panels) {
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    // White under the whole picture, so that it reads the same on a dark page.
    background: '#ffffff',
    padding: 16,
    title: {
      text: 'Calls of add(a, b) per second',
      // Vega guesses the width of text generously when there is no canvas; short lines keep the
      // picture from growing an empty margin.
      subtitle: [
        'Median of the rounds, two processes on one machine.',
        'Longer is better. Grey: the controls, without a library.',
      ],
      anchor: 'start',
      frame: 'group',
      font: FONT,
      subtitleFont: FONT,
      color: '#212529',
      subtitleColor: '#495057',
      fontSize: 18,
      subtitleFontSize: 12,
      offset: 18,
      subtitlePadding: 6,
    },
    layout: { columns: 1, padding: 28, bounds: 'full', align: 'all' },
    marks: panels.map(panel),
  };
}

const FONT = 'Helvetica, Arial, sans-serif';

function panel({ title, bars }, index) {
  const data = `bars-${index}`;
  const place = { scale: 'place', field: 'name' };
  const bold = (yes, no) => [{ test: "datum.kind === 'subject'", value: yes }, { value: no }];
  const text = {
    font: { value: FONT },
    fontSize: { value: 13 },
    fontWeight: bold('bold', 'normal'),
    baseline: { value: 'middle' },
    y: { ...place, band: 0.5 },
  };
  return {
    type: 'group',
    title: {
      text: title,
      anchor: 'start',
      frame: 'group',
      font: FONT,
      fontSize: 14,
      color: '#212529',
      offset: 8,
    },
    encode: { update: { width: { value: 560 }, height: { value: bars.length * BAR_STEP } } },
    data: [{ name: data, values: bars }],
    scales: [
      {
        name: 'place',
        type: 'band',
        domain: bars.map(({ name }) => name),
        range: [0, bars.length * BAR_STEP],
        padding: 0.2,
      },
      { name: 'length', type: 'linear', domain: [0, bars[0].value], range: [0, 560] },
    ],
    marks: [
      {
        type: 'rect',
        from: { data },
        encode: {
          update: {
            x: { value: 0 },
            x2: { scale: 'length', field: 'value' },
            y: place,
            height: { scale: 'place', band: 1 },
            fill: { field: 'colour' },
            cornerRadius: { value: 2 },
          },
        },
      },
      {
        type: 'text',
        from: { data },
        encode: {
          update: {
            ...text,
            x: { value: -8 },
            align: { value: 'right' },
            text: { field: 'name' },
            fill: { value: '#212529' },
          },
        },
      },
      {
        type: 'text',
        from: { data },
        encode: {
          update: {
            ...text,
            x: { scale: 'length', field: 'value', offset: 6 },
            text: { field: 'text' },
            fill: { value: '#212529' },
          },
        },
      },
    ],
  };
}
