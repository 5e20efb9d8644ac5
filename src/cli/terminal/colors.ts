import { inspect } from 'node:util';
import type { InspectOptions } from 'node:util';

import { steer } from './text.ts';

/** Colours, as sequences that the output recognizes as the command's own. */

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

type Color = (text: string) => string;
export type Colors = Readonly<Record<keyof typeof CODES, Color>> & { readonly enabled: boolean };

export function createColors(enabled: boolean): Colors {
  const colors = Object.entries(CODES).map(([name, [on, off]]) => {
    const color: Color = (text) => `${steer(`${on}m`)}${text}${steer(`${off}m`)}`;
    return [name, enabled ? color : String] as const;
  });
  return { ...(Object.fromEntries(colors) as Record<keyof typeof CODES, Color>), enabled };
}

/**
 * Node's view of a value, in our own colours. Node leaves the stacks of errors and the names of classes as they are, so
 * its colours cannot be told apart from colours in them. It looks up each colour when it needs it, and then finds ours.
 */
export function inspectInColors(value: unknown, options: InspectOptions): string {
  const known = inspect.colors;
  const marked = Object.entries(known).map(([name, codes]) => [name, codes?.map((code) => mark(code))]);
  inspect.colors = Object.fromEntries(marked) as typeof known;
  try {
    return inspect(value, { ...options, colors: true });
  } finally {
    inspect.colors = known;
  }
}

/** Node writes `ESC [` before it and `m` after it. */
function mark(code: number): string {
  return steer(String(code)).slice(2);
}
