import type { Browser, Page as Tab } from 'playwright-core';

import type { PageNet } from '../../src/page.ts';
import { needChromium, Site } from './browser.ts';
import { PageServer } from './page-server.ts';
import { Stage } from './peers.ts';
import { Processes } from './processes.ts';

/** What the tabs have as globals, beside `connectPage` and `NetError`. */
export interface TabWindow {
  net: PageNet;
  /** The states and ends of `net`, in their order. */
  log: unknown[];
  dispatchEvent(event: Event): boolean;
}

declare const window: TabWindow;
declare const connectPage: typeof import('../../src/page.ts').connectPage;

/** A browser, two sites, and a server that lets pages of the first one in. */
export class PageStage {
  readonly #stage = new Stage();
  readonly #processes = new Processes();
  #folder = '';
  browser!: Browser;
  site!: Site;
  other!: Site;
  server!: PageServer;
  /** For pages of `site`. */
  pass = '';
  /** Connected with the pass, a new one for each test. */
  tab!: Tab;

  async open(context: Mocha.Context): Promise<void> {
    this.browser = await needChromium(context);
    [this.site, this.other] = await Promise.all([Site.open(), Site.open()]);
    this.#folder = await this.#stage.folder();
    this.server = await PageServer.start(this.#processes, this.#folder);
    this.pass = await this.server.pass([this.site.origin]);
  }

  async close(): Promise<void> {
    await this.browser?.close();
    await Promise.all([this.site?.close(), this.other?.close(), this.#processes.clear()]);
    await this.#stage.clear();
  }

  /** The server is gone. Starts it again, at the same port. */
  async restart(): Promise<void> {
    this.server = await PageServer.start(this.#processes, this.#folder, this.server.port);
  }

  /** A tab with an open connection. */
  async connected(pass = this.pass): Promise<Tab> {
    const tab = await this.site.tab(this.browser);
    await tab.evaluate(
      async ([url, given]) => {
        const net = await connectPage(url!, { pass: given! });
        window.net = net;
        window.log = [];
        net.on('state', (state) => window.log.push(state));
        net.on('close', ({ code, final }) => window.log.push({ code, final }));
      },
      [this.server.url, pass],
    );
    return tab;
  }

  state(): Promise<string> {
    return this.tab.evaluate(() => window.net.state);
  }
}
