import { expect } from 'chai';
import type { Page as Tab } from 'playwright-core';

import { eventually } from '../support/eventually.ts';
import { need } from '../support/need.ts';
import { PageStage } from '../support/page-stage.ts';
import type { TabWindow } from '../support/page-stage.ts';
import type { connectPage as Connect, NetError as Failure, PageNet } from '../../src/page.ts';

// What runs in the tab. `connectPage` and `NetError` are the built library there.
declare const connectPage: typeof Connect;
declare const window: TabWindow;
declare const net: PageNet;

/** Of browsers. Node has other kinds of entries. */
interface Navigations {
  getEntriesByType(type: 'navigation'): { notRestoredReasons?: unknown }[];
}

describe('the connection of a web page in Chromium', function () {
  this.timeout(120_000);
  const stage = new PageStage();
  let tab: Tab;

  before(function () {
    return stage.open(this);
  });

  beforeEach(async () => {
    tab = stage.tab = await stage.connected();
  });

  afterEach(() => stage.leave());

  after(() => stage.close());

  it('comes back when its server was killed and restarted, with its functions and subscriptions', async () => {
    await tab.evaluate(() => {
      net.connect('page.hi', () => 'hi');
      net.event('news').subscribe((value, { gap }) => window.log.push({ value, gap: gap?.why ?? null }));
    });
    await tab.evaluate(() => net.remote('try.emit')('news', 1));
    const lost = tab.evaluate(() =>
      net
        .remote('try.hang')()
        .catch((error: Failure) => [error.code, error.ran, error.message.includes('was lost')]),
    );
    await eventually(() => tab.evaluate(() => net.remote('try.add')(1, 1)));
    await stage.server.process.kill();
    expect(await lost).to.deep.equal(['CONNECTION_LOST', 'unknown', true]);
    expect(await tab.evaluate(() => net.peers.length)).to.equal(0);
    const waiting = tab.evaluate(() => net.remote('try.add')(20, 22));
    const unsent = await tab.evaluate(() =>
      net
        .remote('try.add')
        .with({ deadline: 50 })(1, 2)
        .catch((error: Failure) => [error.code, error.ran, error.message]),
    );
    expect(unsent).to.deep.include.members(['DEADLINE_EXCEEDED', 'no']);
    expect((unsent as string[])[2]).to.include('was not sent');
    await stage.restart();
    expect(await waiting).to.equal(42);
    expect(await stage.state()).to.equal('open');
    expect(await tab.evaluate(() => net.remote('try.ask')('page.hi'))).to.equal('hi');
    await tab.evaluate(() => net.remote('try.emit')('news', 2));
    const log = await tab.evaluate(() => window.log);
    expect(log).to.deep.include.members([
      { value: 1, gap: null },
      { code: 1006, final: false },
      'waiting',
      'dialing',
      'authenticating',
      'open',
      { value: 2, gap: 'restarted' },
    ]);
  });

  it('finishes what runs when its server stops, and comes back to the next one', async () => {
    const ended = tab.evaluate(() =>
      net
        .remote('try.hang')()
        .catch((error: Failure) => error.code),
    );
    await eventually(() => tab.evaluate(() => net.remote('try.add')(1, 1)));
    await stage.server.stop();
    expect(await ended).to.equal('CONNECTION_LOST');
    await stage.restart();
    await eventually(async () => expect(await stage.state()).to.equal('open'));
    expect(await tab.evaluate(() => window.log)).to.include('draining');
  });

  it('says goodbye when it closes, so that it leaves at once', async () => {
    const closed = await tab.evaluate(async () => {
      const running = net.remote('try.add')(1, 2);
      await net.close();
      const late = await net
        .remote('try.add')(1, 2)
        .catch((error: Failure) => [error.code, error.ran]);
      return [await running, late, net.state, window.log];
    });
    const end = { code: 1000, final: true };
    expect(closed).to.deep.equal([3, ['STOPPED', 'no'], 'closed', ['draining', end, 'waiting', 'closed']]);
    await stage.server.process.line<{ left: string; why: string }>(
      ({ left, why }) => left === 'ada' && why === 'stopped',
    );
  });

  it('is suspect while its server is silent, and open again when it answers', async () => {
    process.kill(stage.server.process.pid, 'SIGSTOP');
    try {
      await tab.evaluate(() => window.dispatchEvent(new Event('online')));
      expect(await stage.state()).to.equal('suspect');
    } finally {
      process.kill(stage.server.process.pid, 'SIGCONT');
    }
    await eventually(async () => expect(await stage.state()).to.equal('open'));
    expect(await tab.evaluate(() => window.log)).to.deep.equal(['suspect', 'open']);
  });

  it('connects at once when the network is back', async () => {
    await stage.server.process.kill();
    await eventually(async () => expect(await stage.state()).to.equal('waiting'));
    // With many failures behind it, it would wait for up to 10 s.
    await tab.evaluate(() => void (Math.random = () => 0.999));
    await eventually(() => tab.evaluate(() => window.log.filter((each) => each === 'dialing').length >= 3));
    await stage.restart();
    await eventually(async () => {
      await tab.evaluate(() => window.dispatchEvent(new Event('online')));
      return (await stage.state()) === 'open';
    });
  });

  it('leaves when the user goes elsewhere, and is back when the user comes back', async function () {
    let why: unknown;
    // Chromium decides whether it keeps a page.
    for (let attempt = 0; attempt < 3 && why !== null; attempt += 1) {
      if (attempt > 0) await tab.context().close();
      if (attempt > 0) tab = stage.tab = await stage.connected();
      why = await goesAndComes(tab);
    }
    need(
      this,
      why === null,
      `a Chromium that keeps the page in its back-forward cache: ${JSON.stringify(why)}`,
    );
    await eventually(async () => expect(await stage.state()).to.equal('open'));
    expect(await tab.evaluate(() => net.remote('try.add')(1, 2))).to.equal(3);
    const log = await tab.evaluate(() => window.log);
    expect(log).to.deep.include.members([{ code: 1000, final: false }, { persisted: true }, 'open']);
  });

  /** How often the page has said goodbye to the server. */
  function leaves(): number {
    const lines = stage.server.process.lines as { left?: string; why?: string }[];
    return lines.filter(({ left, why }) => left === 'ada' && why === 'stopped').length;
  }

  /** @returns null if the page came out of the cache, else why Chromium did not keep it */
  async function goesAndComes(page: Tab): Promise<unknown> {
    const left = leaves();
    await page.evaluate(() => {
      const shown = (event: Event): number =>
        window.log.push({ persisted: (event as Event & { persisted: boolean }).persisted });
      (globalThis as unknown as EventTarget).addEventListener('pageshow', shown);
    });
    await page.goto(stage.other.origin);
    await eventually(() => expect(leaves()).to.be.above(left));
    // A page from the cache fires no `load`.
    await page.goBack({ waitUntil: 'commit' });
    return page.evaluate(() => {
      if ('net' in globalThis) return null;
      const [entry] = (performance as unknown as Navigations).getEntriesByType('navigation');
      return entry?.notRestoredReasons ?? 'no reason is told';
    });
  }

  it('gets a fresh pass when the server does not take the old one any more', async () => {
    const [old, fresh] = [
      await stage.server.pass([stage.site.origin]),
      await stage.server.pass([stage.site.origin], { name: 'fresh' }),
    ];
    await tab.evaluate(
      async ([url, ...passes]) => {
        await net.close();
        window.net = await connectPage(url!, { pass: async () => passes.shift()! });
      },
      [stage.server.url, old, fresh],
    );
    await stage.server.revoke(old);
    await eventually(async () => {
      expect(await tab.evaluate(() => net.remote('try.caller')())).to.equal('fresh');
    });
  });

  it('closes for good when a pass that cannot be renewed is revoked', async () => {
    const given = await stage.server.pass([stage.site.origin]);
    const revoked = await stage.connected(given);
    await stage.server.revoke(given);
    await eventually(async () => expect(await revoked.evaluate(() => net.state)).to.equal('closed'));
    const after = await revoked.evaluate(() =>
      net
        .remote('try.add')(1, 2)
        .catch((error: Failure) => [error.code, error.ran, window.log]),
    );
    expect(after).to.deep.equal([
      'UNAUTHENTICATED',
      'no',
      [{ code: 4401, final: true }, 'waiting', 'closed'],
    ]);
    await revoked.context().close();
  });

  it('learns nothing at another origin, or without a pass', async () => {
    const stranger = await stage.other.tab(stage.browser);
    const refused = await stranger.evaluate(
      async ([url, given]) => {
        const error = await connectPage(url!, { pass: given! }).catch((thrown: Failure) => thrown);
        const heard = await new Promise((resolve) => {
          const messages: unknown[] = [];
          const socket = new WebSocket(url!, 'app-net.v1');
          const limits = { message: 65_536, calls: 1 };
          const nonce = 'A'.repeat(43);
          const hello = { type: 'hello', versions: [1], id: 'a', incarnation: 'b', nonce, to: '', limits };
          socket.onopen = () => socket.send(JSON.stringify(hello));
          socket.onmessage = ({ data }) => messages.push(data);
          socket.onclose = ({ code, reason }) => resolve([messages, code, reason]);
        });
        return { error: [(error as Failure).code, (error as Error).message], heard };
      },
      [stage.server.url, stage.pass],
    );
    expect(refused.error[0]).to.equal('UNAUTHENTICATED');
    expect(refused.error[1]).to.include('not for the origin of this page');
    expect(refused.heard).to.deep.equal([[], 4401, '']);
    await stranger.context().close();
  });
});
