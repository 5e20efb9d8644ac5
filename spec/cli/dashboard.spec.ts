import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';

import { needChromium } from '../support/browser.ts';
import { COMMAND } from '../support/command.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';

const WORKER = `
import { connect, serve } from 'app-net';
connect('job.run', (n) => n + 1);
await serve({ stopOn: ['SIGTERM'] });
`;

describe('app-net dashboard', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let browser: Browser;
  let page: Page;
  let folder: string;
  let command: TestProcess;
  let url: string;

  before(async function () {
    browser = await needChromium(this);
  });

  after(() => browser?.close());

  beforeEach(async () => {
    folder = await stage.folder();
    page = await (await browser.newContext()).newPage();
  });

  afterEach(async () => {
    await page.context().close();
    await processes.clear();
    await stage.clear();
  });

  const worker = async (name: string, group = 'main'): Promise<TestProcess> => {
    const env = { APP_NET_NAME: name, APP_NET_GROUP: group };
    const started = await processes.start(folder, WORKER, { env });
    await started.announced(folder);
    return started;
  };
  const serve = async (...options: string[]): Promise<void> => {
    command = processes.run(folder, [COMMAND, 'dashboard', '--no-open', '--json', ...options]);
    ({ url } = await command.line<{ url: string }>((line) => line.url !== undefined));
  };
  const row = (name: string, what = ''): ReturnType<Page['locator']> =>
    page.locator(`.peers tr[data-peer="${name}"] ${what}`);

  it('shows a process that is frozen, and one that is killed, with the evidence', async () => {
    const [one, two] = await Promise.all([worker('one'), worker('two')]);
    await serve();
    await page.goto(url);
    await row('one', '.state-live').waitFor();
    await row('two', '.state-live').waitFor();

    const frozen = performance.now();
    one.child.kill('SIGSTOP');
    await row('one', '.state-silent:has-text("silent for")').waitFor();
    const seen = performance.now();
    one.child.kill('SIGCONT');
    await row('one', '.state-live').waitFor();

    const killed = performance.now();
    await two.kill('SIGKILL');
    await page.locator('.happened .leave:has-text("two was lost") .evidence').waitFor();
    await row('two').waitFor({ state: 'detached' });
    const times = [seen - frozen, performance.now() - killed].map((time) => `${Math.round(time)} ms`);
    process.stdout.write(`      frozen: seen after ${times[0]}; killed: seen after ${times[1]}\n`);
  });

  it('shows peers that join later, and the peers of one group only if asked', async () => {
    await worker('gpu-1', 'gpu');
    await serve('--group', 'gpu');
    await page.goto(url);
    await row('gpu-1', '.state-live').waitFor();
    await worker('main-1');
    await worker('gpu-2', 'gpu');
    await row('gpu-2', '.state-live').waitFor();
    expect(await row('main-1').count()).to.equal(0);
    await command.kill('SIGINT');
    await page.locator('.status.lost').waitFor();
  });

  it('says what to do about a port that is taken', async () => {
    await serve();
    const { port } = new URL(url);
    const second = processes.run(folder, [COMMAND, 'dashboard', '--no-open', '--port', port]);
    expect(await second.exited).to.equal(5);
    expect(second.errors).to.include('--port');
  });
});
