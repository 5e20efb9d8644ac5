import { expect } from 'chai';
import type { Browser, Page as Tab } from 'playwright-core';

import { needChromium } from '../support/browser.ts';
import { Stage } from '../support/peers.ts';
import { Processes, REPOSITORY } from '../support/processes.ts';

describe('the example 10-page', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let browser: Browser;

  before(async function () {
    browser = await needChromium(this);
  });

  after(async () => {
    await browser?.close();
    await processes.clear();
    await stage.clear();
  });

  it('lets two tabs chat, and each sees who is there', async () => {
    const env = { APP_NET_RUNTIME_DIR: await stage.folder() };
    const server = processes.run(REPOSITORY, ['--import', 'tsx', 'examples/10-page/server.ts'], env);
    const told = await server.line<string>((line) => line.startsWith('open http'));
    const url = told.split(' ')[1]!;
    const enter = async (name: string): Promise<Tab> => {
      const tab = await browser.newPage();
      await tab.goto(`${url}?name=${name}`);
      return tab;
    };
    const people = (tab: Tab, names: string): Promise<void> =>
      tab.locator('#people', { hasText: new RegExp(`^${names}$`) }).waitFor();
    const ada = await enter('ada');
    await people(ada, 'ada');
    const grace = await enter('grace');
    await Promise.all([people(ada, 'ada, grace'), people(grace, 'ada, grace')]);
    await ada.fill('#text', '<b>hello</b>');
    await ada.press('#text', 'Enter');
    const line = grace.locator('#lines li');
    await line.waitFor();
    expect(await line.textContent()).to.equal('ada: <b>hello</b>');
    await ada.close();
    await people(grace, 'grace');
  });
});
