import { expect } from 'chai';

import { eventually } from '../support/eventually.ts';
import { openPage } from '../support/page.ts';
import { PageServer } from '../support/page-server.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

describe('a pass that is revoked at one of several processes', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let folder: string;

  beforeEach(async () => {
    folder = await stage.folder();
  });

  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  const start = (): Promise<PageServer> => PageServer.start(processes, folder);

  /** Resolves once the servers see each other. */
  const together = (...servers: PageServer[]): Promise<unknown> =>
    Promise.all(
      servers.map((server) => server.process.line<{ joined: string }>(({ joined }) => joined === 'server')),
    );

  async function isRefused(server: PageServer, pass: string): Promise<boolean> {
    try {
      const page = await openPage(server.url, pass);
      page.socket.close();
      return false;
    } catch (error) {
      expect((error as Error).message).to.equal('closed with 4401');
      return true;
    }
  }

  it('is refused by all of them, which also close the connections of those that have it', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    await together(one, two);
    const [pass, other] = [await one.pass([]), await one.pass([])];
    const pages = await Promise.all([openPage(one.url, pass), openPage(two.url, pass)]);
    const stays = await openPage(two.url, other);
    await one.revoke(pass);
    expect(await Promise.all(pages.map(({ closed }) => closed))).to.deep.equal([4401, 4401]);
    expect(await isRefused(two, pass)).to.equal(true);
    expect(stays.socket.readyState).to.equal(stays.socket.OPEN);
  });

  it('is refused by a process that starts when the one that revoked it is gone', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    await together(one, two);
    const [pass, other] = [await one.pass([]), await one.pass([])];
    const page = await openPage(two.url, pass);
    await one.revoke(pass);
    expect(await page.closed).to.equal(4401);
    await one.process.kill();
    const three = await start();
    await together(three);
    await eventually(async () => expect(await isRefused(three, pass)).to.equal(true));
    expect(await isRefused(three, other)).to.equal(false);
  });
});
