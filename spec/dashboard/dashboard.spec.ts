import { gzipSync } from 'node:zlib';
import { readFileSync, readdirSync } from 'node:fs';

import { expect } from 'chai';
import type { Browser, Locator, Page } from 'playwright-core';

import { startDashboard } from '../../src/dashboard/dashboard.ts';
import type { Dashboard } from '../../src/dashboard/dashboard.ts';
import type { Peer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { needChromium } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { openPage } from '../support/page.ts';
import { failure, meet, Stage } from '../support/peers.ts';

const FILES = new URL('../../dist/dashboard/', import.meta.url);

describe('the dashboard', function () {
  this.timeout(120_000);
  const stage = new Stage();
  let browser: Browser;
  let network: MemoryNetwork;
  let a: Peer;
  let b: Peer;
  let observer: Peer;
  let dashboard: Dashboard;
  let page: Page;
  let complaints: string[];

  before(async function () {
    browser = await needChromium(this);
  });

  after(() => browser?.close());

  beforeEach(async () => {
    network = new MemoryNetwork();
    ({ a, b } = await stage.pair({ network }));
    observer = await stage
      .make({ network, name: 'observer', group: 'seen from here', announce: false })
      .start();
    await meet(observer, a.id, b.id);
    const selector = { group: '*' };
    dashboard = await startDashboard({ observer, selector, port: 0, files: FILES });
    page = await (await browser.newContext()).newPage();
    complaints = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  });

  afterEach(async () => {
    await page.context().close();
    await dashboard.close();
    await stage.clear();
  });

  async function open(): Promise<void> {
    await page.goto(dashboard.url);
    await page.locator('.status:has-text("live")').waitFor();
  }

  const isFocused = (what: Locator): Promise<boolean> =>
    what
      .locator(':scope:focus')
      .count()
      .then((count) => count === 1);

  const row = (name: string): Locator => page.locator(`.peers tr[data-peer="${name}"]`);

  it('shows peers, functions, failed calls and connections', async () => {
    b.connect('math.add', (x: number, y: number) => x + y);
    b.connect('math.fail', () => {
      throw new Error('no');
    });
    const [toB] = await meet(a, b.id);
    await open();
    await row('a').locator('text=live').waitFor();
    await row('b').locator('text=live').waitFor();
    const work = setInterval(() => {
      toB!.call('math.add', [1, 2]).catch(() => {});
      toB!.call('math.fail').catch(() => {});
    }, 20);
    try {
      const functions = page.locator('.functions tbody');
      await functions.locator('tr:has-text("math.add"):has-text("none")').waitFor();
      await functions.locator('tr:has-text("math.fail") .chip:has-text("threw · ran")').waitFor();
      await page.locator('canvas.topology[aria-label^="2 peers and 1 open connection."]').waitFor();
      await page.locator('canvas.heat[aria-label*="half of the calls"]').waitFor();
      // Something is drawn.
      const colors = await page.evaluate(`(() => {
        const canvas = document.querySelector('canvas.topology');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      })()`);
      expect(colors).to.be.above(20);
    } finally {
      clearInterval(work);
    }
    expect(complaints).to.deep.equal([]);
  });

  it('shows calls that hang, and events with subscribers', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    b.connect('hangs', () => gate);
    const [toB] = await meet(a, b.id);
    a.event('job.done').subscribe(() => {});
    await b.event('job.done').ready();
    b.event('job.done').emit({});
    const hanging = toB!.call('hangs');
    await open();
    await page.locator('.calls tr:has-text("hangs"):has-text("running")').waitFor();
    await page.locator('.events tr:has-text("job.done")').waitFor();
    release();
    await hanging;
    await page.locator('.calls tr:has-text("hangs")').waitFor({ state: 'detached' });
  });

  it('shows a peer that tells nothing any more, and the calls to it that others wait for', async () => {
    b.connect('hangs', () => new Promise(() => {}));
    const [toB] = await meet(a, b.id);
    const hanging = failure(toB!.call('hangs'));
    await open();
    const call = page.locator('.calls tr:has-text("hangs")');
    await call.waitFor();
    network.stall(observer, b);
    await row('b').locator('.state-silent').waitFor();
    await eventually(async () => {
      const before = await call.innerText();
      await page.waitForTimeout(300);
      expect(await call.innerText()).to.not.equal(before);
    });
    network.heal(observer, b);
    await row('b').locator('.state-live').waitFor();
    await a.stop();
    await hanging;
  });

  it('shows joins, and leaves with their evidence', async () => {
    await open();
    await row('b').locator('text=live').waitFor();
    const c = await stage.make({ network, name: 'c' }).start();
    await page.locator('.happened .join:has-text("c joined")').waitFor();
    await row('c').locator('text=live').waitFor();
    await c.stop();
    await page.locator('.happened .leave:has-text("c stopped") .evidence:has-text("goodbye")').waitFor();
    await row('c').waitFor({ state: 'detached' });
    network.kill(b);
    await page.locator('.happened .leave:has-text("b was lost")').waitFor();
    await row('b').waitFor({ state: 'detached' });
  });

  it('shows a connection that is cut, and that it is back', async () => {
    await open();
    await page.locator('canvas.topology[aria-label^="2 peers and 1 open connection."]').waitFor();
    network.cut(a, b);
    await page.locator('canvas.topology[aria-label^="2 peers and 0 open connections."]').waitFor();
    network.heal(a, b);
    await page.locator('canvas.topology[aria-label^="2 peers and 1 open connection."]').waitFor();
  });

  it('tells everything about a chosen peer, by keyboard alone', async () => {
    b.connect('math.add', (x: number, y: number) => x + y);
    await open();
    await row('b').locator('text=live').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(b.id.slice(0, 6));
    await row('a').waitFor({ state: 'detached' });
    const button = row('b').locator('button');
    await eventually(async () => {
      await page.keyboard.press('Tab');
      return isFocused(button);
    });
    await page.keyboard.press('Enter');
    const details = page.locator('aside.details');
    await details.locator('h2:focus:has-text("b")').waitFor();
    await details.locator(`text=${b.id}`).waitFor();
    await details.locator('dd:has-text("math.add")').waitFor();
    await details.locator('.tree li:has-text("connection to a"):has-text("open")').waitFor();
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'detached' });
    expect(await isFocused(button)).to.equal(true);
  });

  it('comes back after the page was closed, and after it was loaded again', async () => {
    await open();
    await row('a').waitFor();
    await page.reload();
    await row('a').locator('text=live').waitFor();
  });

  it('shows names, tags, events and errors of peers as text, whatever they are', async () => {
    const evil = '<img src=x onerror="globalThis.hit=1"><script>globalThis.hit=1</script>';
    const c = stage.make({ network, name: evil, group: `${evil}\u202e` });
    c.connect(evil, () => {
      throw new Error(evil);
    });
    c.use((call, next) => {
      if (call.direction === 'incoming' && call.tag === 'net.info') throw new Error(evil);
      return next();
    });
    await c.start();
    const unseen = stage.make({ network, name: 'unseen' });
    unseen.use((call, next) => {
      if (call.direction === 'incoming' && call.tag === 'net.watch') throw new Error(evil);
      return next();
    });
    await unseen.start();
    await open();
    a.event(evil).subscribe(() => {}, { from: { group: '*' } });
    await c.event(evil).ready();
    const [toC] = await meet(a, c.id);
    const work = setInterval(() => void failure(toC!.call(evil)), 50);
    try {
      const shown = page.locator('.peers th', { hasText: '<img src=x onerror=' });
      await shown.waitFor();
      await page.locator('.functions th', { hasText: '<img src=x onerror=' }).waitFor();
      await page.locator('.events th', { hasText: '<img src=x onerror=' }).waitFor();
      await row('unseen').locator('[title*="<img src=x"]').waitFor();
      await shown.locator('button').click();
      await page.locator('aside h2', { hasText: '<script>' }).waitFor();
      await page.locator('aside .facts', { hasText: '�' }).waitFor();
      await page.keyboard.press('Escape');
      await c.stop();
      await page.locator('.happened .leave', { hasText: '<img' }).waitFor();
    } finally {
      clearInterval(work);
    }
    expect(await page.evaluate('globalThis.hit')).to.equal(undefined);
    expect(await page.locator('#app script, img:not([src="icon.svg"])').count()).to.equal(0);
    expect(complaints).to.deep.equal([]);
  });

  it('runs no code that is not its own', async () => {
    const response = await page.goto(dashboard.url);
    const policy = response!.headers()['content-security-policy']!;
    expect(policy).to.include("default-src 'none'").and.not.include('unsafe');
    await page.locator('.status:has-text("live")').waitFor();
    expect(complaints).to.deep.equal([]);
    const hit = await page.evaluate(`(() => {
      const script = document.createElement('script');
      try {
        script.textContent = 'globalThis.hit = 1';
      } catch {
        // Trusted types refuse it already.
      }
      document.body.append(script);
      return globalThis.hit;
    })()`);
    expect(hit).to.equal(undefined);
    const html = await page.evaluate(`(() => {
      try {
        document.body.insertAdjacentHTML('beforeend', '<i id="hit"></i>');
        return 'taken';
      } catch (error) {
        return error.name;
      }
    })()`);
    expect(html).to.equal('TypeError');
  });

  it('lets in nobody without its pass, from another origin, or for anything but watching', async () => {
    await page.goto(dashboard.url.replace(/#.*/, '#'));
    await page.locator('.status.over').waitFor();
    const { origin, host, hash } = new URL(dashboard.url);
    const pass = hash.slice(1);
    const refused = await failure(openPage(`ws://${host}/net`, pass, { origin: 'http://evil.example' }));
    expect(String(refused)).to.match(/403|closed/);
    const mine = await openPage(`ws://${host}/net`, pass, { origin });
    for (const tag of ['net.info', 'net.metrics', 'net.passThrough', 'math.add']) {
      expect((await mine.call(tag)).failure?.code).to.equal('NO_SUCH_TAG');
    }
    mine.socket.close();
    await mine.closed;
    const strange = await fetch(`${origin}/../package.json`);
    expect(strange.status).to.equal(404);
  });

  it('has at most 60 kB of files, compressed', () => {
    const sizes = readdirSync(FILES).map((name) => gzipSync(readFileSync(new URL(name, FILES))).length);
    expect(sizes.reduce((sum, size) => sum + size)).to.be.below(60_000);
  });

  it('watches no peer while no page is open', async () => {
    await open();
    await row('a').locator('text=live').waitFor();
    const watched = (): number => a.metrics().counters.dispatcher.running;
    expect(watched()).to.equal(1);
    await page.goto('about:blank');
    await eventually(() => watched() === 0);
  });
});
