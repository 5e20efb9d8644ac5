import { readFileSync } from 'node:fs';

/** Defined by the bundler. Not defined when the sources run. */
declare const APP_NET_VERSION: string | undefined;

/** The version of this library. */
export function libraryVersion(): string {
  if (typeof APP_NET_VERSION === 'string') return APP_NET_VERSION;
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
