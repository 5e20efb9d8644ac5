import { fileURLToPath } from 'node:url';

/** The folder of this library: the one of its bundle, or of its sources. */
const HERE = new URL('.', import.meta.url).href.replace(/\/base\/$/, '/');

/** Stacks name the sources where source maps are enabled. They write files as URLs or as paths. */
const FOLDERS = [HERE, new URL('../src/', HERE).href];
const NAMES = FOLDERS.flatMap((folder) => [folder, fileURLToPath(folder)]);

/** Whether a line of a stack is in this library. */
export function ownFrame(line: string): boolean {
  return NAMES.some((name) => line.includes(name));
}

/**
 * The stack above this library. The frames from the library's first one on only show how the request went from the socket to
 * the function.
 */
export function trimStack(stack: string): string {
  const lines = stack.split('\n');
  const end = lines.findIndex((line) => line.startsWith('    at ') && ownFrame(line));
  return end < 0 ? stack : lines.slice(0, end).join('\n');
}
