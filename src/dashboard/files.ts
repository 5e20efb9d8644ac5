import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Serves the files of the page, from memory, to browsers of this host. */

const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'main.js': 'text/javascript; charset=utf-8',
  'main.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;

type Name = keyof typeof TYPES;

/** Names of this host in the header `Host`. Another name that leads here may be that of an attacker's page. */
const HOSTS = /^(127\.0\.0\.1|localhost)(:\d+)?$/i;

/** Nothing but the files and the connection below, no code in the page itself, no HTML made from text, no frames around it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** `npm run build` writes them beside the bundle of the code. */
export const PAGE_FILES = new URL('dashboard/', import.meta.url);

/**
 * Returns what answers requests.
 * @throws the error of the file system if the package has lost its files
 */
export function pageFiles(folder: URL): (request: IncomingMessage, response: ServerResponse) => void {
  const files = new Map(
    (Object.keys(TYPES) as Name[]).map((name) => [
      `/${name}`,
      { name, content: readFileSync(new URL(name, folder)) },
    ]),
  );
  return ({ method, url = '', headers }, response) => {
    const path = url.split('?', 1)[0]!;
    const file = files.get(path === '/' ? '/index.html' : path);
    const end = (status: number, text: string): void => {
      response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(text);
    };
    if (!HOSTS.test(headers.host ?? '')) end(403, 'open the address that app-net dashboard has printed\n');
    else if (method !== 'GET' && method !== 'HEAD') end(405, 'use GET\n');
    else if (!file) end(404, 'there is no such file\n');
    else response.writeHead(200, { ...HEADERS, 'content-type': TYPES[file.name] }).end(file.content);
  };
}
