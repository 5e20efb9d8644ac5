import { expect } from 'chai';
import type { Browser, Page as Tab } from 'playwright-core';

import type { PageNet, PageState } from '../../src/page.ts';
import { NEXT_STATES } from '../../src/page/states.ts';
import { needChromium, Site } from './browser.ts';
import { PageServer } from './page-server.ts';
import { Stage } from './peers.ts';
import { Processes } from './processes.ts';

/** What the tabs have as globals, beside `connectPage` and `NetError`. */
export interface TabWindow {
  net: PageNet;
  /** The states and ends of `net`, in their order. */
  log: unknown[];
  /** Each change of the state of `net`: the state before, and the one after. */
  steps: [PageState, PageState][] | undefined;
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
        window.steps = [];
        net.on('state', (state, before) => {
          window.log.push(state);
          window.steps!.push([before, state]);
        });
        net.on('close', ({ code, final }) => window.log.push({ code, final }));
      },
      [this.server.url, pass],
    );
    return tab;
  }

  /** Closes the tab. Its connection must have gone only from states to those that may follow. */
  async leave(): Promise<void> {
    const steps = (await this.tab.evaluate(() => window.steps)) ?? [];
    await this.tab.context().close();
    for (const [before, state] of steps)
      expect(NEXT_STATES[before], `${before} → ${state}`).to.include(state);
  }

  state(): Promise<string> {
    return this.tab.evaluate(() => window.net.state);
  }
}
