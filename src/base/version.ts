import { readFileSync } from 'node:fs';

/** Defined by the bundler. Not defined when the sources run. */
declare const APP_NET_VERSION: string | undefined;

/** The version of this library. */
export function libraryVersion(): string {
  if (typeof APP_NET_VERSION === 'string') return APP_NET_VERSION;
  // In a variable of its own: bundlers take `new URL('…', import.meta.url)` for a file that they must add.
  const here = import.meta.url;
  const text = readFileSync(new URL('../../package.json', here), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
