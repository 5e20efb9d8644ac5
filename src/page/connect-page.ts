import { abortSignal, milliseconds, refuseUnknown } from '../base/option-checks.ts';
import { PageNet } from './page.ts';
import type { ConnectPageOptions } from './page-types.ts';

const OPTIONS: Record<keyof ConnectPageOptions, true> = { pass: true, deadline: true, signal: true };

/** ms, as for any peer. */
const DEFAULT_DEADLINE = 30_000;

/**
 * Connects a web page to a peer that lets pages in (its option `pages`, or `peer.attach`). Resolves once the connection is open.
 * From then on the page connects again by itself whenever the connection is lost. It also runs in Node from 22, Deno and Bun.
 *
 * @param url of the server: `ws:` or `wss:`, also `http:` or `https:`, or relative to the page. Browsers want `wss:` in a page that
 *   came by https
 * @param options a pass is needed
 * @throws TypeError for a wrong URL or option, for text that is no pass, and in a page that came by plain http from another host;
 *   NetError UNAUTHENTICATED if the server refuses the pass, NOT_SENT if there is no connection within `deadline` (its `cause` says
 *   why); what the function `pass` threw; the reason of `signal`
 *
 * @example
 * await using net = await connectPage('wss://app.example/net', {
 *   pass: async () => (await fetch('/pass', { method: 'POST' })).text(),
 * });
 * const small = await net.remote<typeof resize>('img.resize@1')(image, 200);
 */
export async function connectPage(url: string | URL, options: ConnectPageOptions): Promise<PageNet> {
  const where = checkUrl(url);
  refuseUnknown('option', options, OPTIONS);
  const { pass, signal } = options;
  if (typeof pass !== 'string' && typeof pass !== 'function') {
    throw new TypeError('pass: give the text of peer.pass(), or a function that fetches it');
  }
  const deadline = milliseconds('deadline', options.deadline, DEFAULT_DEADLINE);
  abortSignal('signal', signal);
  if (!(globalThis.crypto as Crypto | undefined)?.subtle) {
    throw new TypeError('no crypto.subtle: serve this page by https, or from localhost');
  }
  const page = new PageNet(where, pass, deadline);
  try {
    await page.start(signal);
  } catch (error) {
    await page.close();
    throw error;
  }
  return page;
}

type Crypto = Partial<typeof globalThis.crypto>;

function checkUrl(given: string | URL): URL {
  let url: URL | undefined;
  try {
    url = new URL(given, (globalThis as { location?: { href: string } }).location?.href);
    url.protocol = url.protocol.replace('http', 'ws');
    url.hash = '';
  } catch {
    // Handled like a wrong protocol, below.
  }
  if (!url || !/^wss?:$/.test(url.protocol)) {
    throw new TypeError("url: give one such as 'wss://app.example/net'");
  }
  return url;
}
