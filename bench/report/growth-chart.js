// Draws growth.svg: how long until all know all, and until the last one knows of a SIGKILL, by the number of peers.
import * as vega from 'vega';
import { round } from './round.js';

const FONT = 'Helvetica, Arial, sans-serif';
const COLOURS = { 'app-net': '#d9480f' };
const OTHER = '#4c6ef5';
const WIDTH = 560;
const HEIGHT = 200;

const PANELS = [
  { field: 'lastMs', title: 'Until all know all, in ms' },
  { field: 'killMs', title: 'SIGKILL of one: until the last one knows, in ms' },
];

/** Resolves to SVG text. */
export async function drawGrowth(starts) {
  const points = starts.flatMap(({ name, starts: of }) =>
    of.filter(({ error }) => !error).map((one) => ({ ...one, name, colour: COLOURS[name] ?? OTHER })),
  );
  const sizes = [...new Set(points.map(({ peers }) => peers))].sort((a, b) => a - b);
  const view = new vega.View(vega.parse(specification(points, sizes)), { renderer: 'none' });
  return view.toSVG();
}

function specification(points, sizes) {
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    // White under the whole picture, so that it reads the same on a dark page.
    background: '#ffffff',
    padding: 16,
    title: {
      text: 'Peers that start at the same moment',
      subtitle: [
        'By the number of peers, in at most ten processes on one machine.',
        'Lower is better. Both scales are logarithmic.',
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
    layout: { columns: 1, padding: 36, bounds: 'full', align: 'all' },
    marks: PANELS.map((panel, index) => draw(panel, index, points, sizes)),
  };
}

function draw({ field, title }, index, points, sizes) {
  const data = `points-${index}`;
  const values = points.map(({ name, peers, colour, [field]: value }) => ({
    name,
    peers,
    colour,
    value,
    text: round(value),
  }));
  const x = { scale: 'peers', field: 'peers' };
  const y = { scale: 'time', field: 'value' };
  const axis = {
    labelFont: FONT,
    titleFont: FONT,
    labelColor: '#495057',
    titleColor: '#495057',
    domainColor: '#adb5bd',
    tickColor: '#adb5bd',
  };
  // A name stands at the last point of its line.
  const last = values.filter(
    ({ name, peers }) =>
      peers === Math.max(...values.filter((each) => each.name === name).map((each) => each.peers)),
  );
  return {
    type: 'group',
    title: {
      text: title,
      anchor: 'start',
      frame: 'group',
      font: FONT,
      fontSize: 14,
      color: '#212529',
      offset: 12,
    },
    encode: { update: { width: { value: WIDTH }, height: { value: HEIGHT } } },
    data: [
      { name: data, values },
      { name: `last-${index}`, values: last },
    ],
    scales: [
      { name: 'peers', type: 'log', domain: [sizes[0], sizes.at(-1)], range: [24, WIDTH] },
      { name: 'time', type: 'log', domain: { data, field: 'value' }, nice: true, range: [HEIGHT, 0] },
    ],
    axes: [
      { ...axis, orient: 'bottom', scale: 'peers', values: sizes, format: 'd', title: 'peers' },
      {
        ...axis,
        orient: 'left',
        scale: 'time',
        grid: true,
        gridColor: '#f1f3f5',
        tickCount: 5,
        format: ',d',
      },
    ],
    marks: [
      {
        type: 'group',
        from: { facet: { name: `lines-${index}`, data, groupby: 'name' } },
        marks: [
          {
            type: 'line',
            from: { data: `lines-${index}` },
            encode: { update: { x, y, stroke: { field: 'colour' }, strokeWidth: { value: 2 } } },
          },
        ],
      },
      {
        type: 'symbol',
        from: { data },
        encode: { update: { x, y, fill: { field: 'colour' }, size: { value: 36 } } },
      },
      {
        type: 'text',
        from: { data },
        encode: {
          update: {
            x,
            y,
            dy: { value: -8 },
            text: { field: 'text' },
            align: { value: 'center' },
            font: { value: FONT },
            fontSize: { value: 11 },
            fill: { value: '#212529' },
          },
        },
      },
      {
        type: 'text',
        from: { data: `last-${index}` },
        encode: {
          update: {
            x,
            y,
            dx: { value: 8 },
            dy: { value: 4 },
            text: { field: 'name' },
            font: { value: FONT },
            fontSize: { value: 13 },
            fontWeight: { value: 'bold' },
            fill: { field: 'colour' },
          },
        },
      },
    ],
  };
}
