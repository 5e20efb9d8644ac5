import { fileURLToPath } from 'node:url';

/** This library's own folder, `src` or `dist`, in both ways that stacks name files. */
const FOLDER = new URL('..', import.meta.url).href;
const FOLDER_PATH = fileURLToPath(FOLDER);

/** Whether a line of a stack is inside this library. */
export function ownFrame(line: string): boolean {
  return line.includes(FOLDER) || line.includes(FOLDER_PATH);
}

/**
 * A stack without what lies below the call: from the first frame of this library on there is only the way the
 * request took from the socket to the function.
 */
export function trimStack(stack: string): string {
  const lines = stack.split('\n');
  const end = lines.findIndex((line) => line.startsWith('    at ') && ownFrame(line));
  return end < 0 ? stack : lines.slice(0, end).join('\n');
}
