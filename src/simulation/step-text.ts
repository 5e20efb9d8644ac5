import type { Step } from './trace.ts';

/** Characters of one step that people read. */
const LONGEST = 100;

/** Whether people want to see it. Timers and signs of life are in the trace to compare runs. */
export function isTelling({ kind, text, from }: Step): boolean {
  if (kind === 'timer' || text === 'ping' || text === 'pong') return false;
  return kind !== 'wire' || from !== '';
}

/** One line: `1.203 s  a → b  request 3 pay`. */
export function stepLine(step: Step): string {
  return `${timeText(step.at)}  ${describeStep(step)}`;
}

export function timeText(at: number): string {
  return `${(at / 1_000).toFixed(3).padStart(8)} s`;
}

export function describeStep({ kind, who, from, text }: Step): string {
  switch (kind) {
    case 'message':
      return `${from} → ${who}  ${frameText(text)}`;
    case 'wire':
      return `${from} → ${who}  ${text}`;
    case 'fault':
      return `*** ${text}`;
    case 'peer':
      return `${who} ${text}`;
    case 'story':
      return `story: ${text}`;
    default:
      return `${who || 'story'}: a timer`;
  }
}

/** The frames of a message, by what they are. */
export function frameText(text: string): string {
  const names = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => oneFrame(line));
  const joined = names.join(', ');
  return joined.length > LONGEST ? `${joined.slice(0, LONGEST)}…` : joined;
}

function oneFrame(line: string): string {
  let frame: Record<string, unknown>;
  try {
    frame = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { type, id, tag, name } = frame;
  const what = [type, id, tag ?? name].filter((each) => each !== undefined && typeof each !== 'object');
  const args = Array.isArray(frame['args'])
    ? brief(JSON.stringify(frame['args']).slice(1, -1), '(', ')')
    : '';
  const value = 'value' in frame ? ` ${brief(JSON.stringify(frame['value']))}` : '';
  const error = typeof frame['message'] === 'string' ? ` ${brief(frame['message'])}` : '';
  return `${what.join(' ')}${args}${value}${error}`;
}

function brief(text: string, before = '', after = ''): string {
  return `${before}${text.length > 40 ? `${text.slice(0, 40)}…` : text}${after}`;
}
