import { readFileSync } from 'node:fs';

let version: string | undefined;

/** The version of this library, from its own package.json; `unknown` where a bundler left that behind. */
export function libraryVersion(): string {
  // Read when somebody asks: an import of JSON still prints a warning on Node 20.
  version ??= readVersion();
  return version;
}

function readVersion(): string {
  try {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const manifest = JSON.parse(text) as { name?: unknown; version?: unknown };
    // In a bundle the file above may be that of the application.
    return manifest.name === 'app-net' && typeof manifest.version === 'string' ? manifest.version : 'unknown';
  } catch {
    return 'unknown';
  }
}
