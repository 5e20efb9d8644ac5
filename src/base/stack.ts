import { fileURLToPath } from 'node:url';

/** This library's own folder: that of its bundle, or that of its sources. */
const HERE = new URL('.', import.meta.url).href.replace(/\/base\/$/, '/');

/** With source maps, stacks name the sources. Stacks write files in two ways. */
const FOLDERS = [HERE, new URL('../src/', HERE).href];
const NAMES = FOLDERS.flatMap((folder) => [folder, fileURLToPath(folder)]);

/** Whether a line of a stack is inside this library. */
export function ownFrame(line: string): boolean {
  return NAMES.some((name) => line.includes(name));
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
