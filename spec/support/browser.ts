import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';

import { need } from './need.ts';

/** Debian's Chromium, and web servers for it. */

const PROGRAM = '/usr/bin/chromium';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Call in `before`. Skips where the browser is missing; with `CI` set, fails. */
export async function needChromium(context: Mocha.Context): Promise<Browser> {
  needChromiumHere(context);
  return launchChromium();
}

/** The same, for specs that let others start the browser. */
export function needChromiumHere(context: Mocha.Context): void {
  need(context, existsSync(PROGRAM), `${PROGRAM}: apt-get install chromium`);
}

export function launchChromium(): Promise<Browser> {
  // Playwright would keep pages out of the back-forward cache.
  const ignoreDefaultArgs = ['--disable-back-forward-cache'];
  return chromium.launch({ executablePath: PROGRAM, args: FLAGS, ignoreDefaultArgs });
}

/** The built `app-net/page`. */
const BUNDLE = new URL('../../dist/page.js', import.meta.url);

/** Serves an empty page, and the library beside it, at an origin of its own. */
export class Site {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Site> {
    const library = await readFile(BUNDLE);
    const server = createServer(({ url }, response) => {
      const isLibrary = url === '/page.js';
      response.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html');
      response.end(isLibrary ? library : '<!doctype html><title>page</title><p>hello</p>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Site(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Opens a tab at this site in which `connectPage` and `NetError` are global. */
  async tab(browser: Browser): Promise<Page> {
    const tab = await (await browser.newContext()).newPage();
    // The functions that specs run in the tab were compiled by esbuild, which keeps their names with this one.
    await tab.addInitScript('globalThis.__name = (fn) => fn');
    await tab.goto(this.origin);
    await tab.evaluate("import('/page.js').then((library) => void Object.assign(globalThis, library))");
    return tab;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
