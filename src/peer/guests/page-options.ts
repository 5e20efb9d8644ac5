import { NetError } from '../../base/errors.ts';
import { portRange, refuseUnknown } from '../../base/option-checks.ts';
import { isLoopback } from '../../transport/address.ts';
import type { PageCertificate, PagesPort } from '../../transport/pages.ts';

/**
 * A port of its own for web pages. Pages need a pass (`peer.pass()`).
 *
 * @example
 * const peer = createPeer({ pages: { port: 4000 } });
 */
export interface PagesOptions {
  /** The TCP port. Default: 0, the system chooses a free one; `peer.pagesUrl` says which. */
  port?: number | undefined;
  /** The address to listen on. One that is not loopback needs `tls`. Default: `127.0.0.1`. */
  host?: string | undefined;
  /** Key and certificate (PEM) that browsers accept: `{ key, cert }`. Default: none, pages connect with `ws:`. */
  tls?: PageCertificate | undefined;
  /** The path of the URL, such as `/net`. Default: `/`. */
  path?: string | undefined;
}

export interface PagesSettings extends Omit<PagesPort, 'tls'> {
  path: string;
  /** A function, so that a log or inspector that walks the actors does not find the key. */
  tls: () => PageCertificate | undefined;
}

const KNOWN: Record<keyof PagesOptions, true> = { port: true, host: true, tls: true, path: true };

/** @throws TypeError that names the option; NetError INSECURE for pages in the clear beyond this host */
export function resolvePages(pages: PagesOptions | undefined): PagesSettings | undefined {
  if (pages === undefined) return undefined;
  refuseUnknown('option of pages', pages, KNOWN);
  const { port = 0, host = '127.0.0.1', tls } = pages;
  portRange('pages.port', [port, port]);
  if (typeof host !== 'string' || host === '') throw new TypeError('pages.host: give an IP address');
  if (tls !== undefined && (!tls?.key || !tls.cert))
    throw new TypeError('pages.tls: give { key, cert } as PEM, of a certificate that browsers accept');
  if (!isLoopback(host) && tls === undefined) {
    throw new NetError(
      'INSECURE',
      `pages.host: ${host} is not a loopback address, and there is no pages.tls: others could read everything. Give ` +
        'pages.tls, or leave out pages.host and put a proxy with TLS in front of the port',
    );
  }
  return { port, host, path: checkPath('pages.path', pages.path), tls: () => tls };
}

/** @throws TypeError */
export function checkPath(option: string, path = '/'): string {
  if (typeof path === 'string' && /^\/[^?#\s]*$/.test(path)) return path;
  throw new TypeError(`${option}: give a path that begins with a slash, such as /net`);
}
