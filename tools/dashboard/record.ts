// Takes the pictures in docs/images/ from a real run of the dashboard: `npm run build && npx tsx tools/dashboard/record.ts`.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';

import { startDashboard } from '../../src/dashboard/dashboard.ts';
import { createPeer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const images = join(repository, 'docs/images');
const folder = await mkdtemp(join(tmpdir(), 'app-net-dashboard-'));
const sleep = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time));

const running: ChildProcess[] = [];

/** Starts a process, and resolves with its first line. */
async function start(...args: string[]): Promise<{ child: ChildProcess; line: string }> {
  const env = { ...process.env, APP_NET_RUNTIME_DIR: folder };
  const child = spawn(process.execPath, args, { cwd: repository, env, stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, line };
}

const shop = (...names: string[]): Promise<{ child: ChildProcess; line: string }> =>
  start('--import', 'tsx', 'tools/dashboard/network.ts', ...names);

async function shoot(page: Page, name: string, ...schemes: ('dark' | 'light')[]): Promise<void> {
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme });
    await sleep(600);
    const path = join(images, `${name}-${colorScheme}.png`);
    await page.screenshot({ path });
    // A third of the size, where it is installed.
    spawnSync('pngquant', ['--force', '--skip-if-larger', '--ext', '.png', path]);
  }
}

/** The shop, whose peers do what peers do: one is killed, one comes, one is looked at. */
async function recordShop(open: (url: string) => Promise<Page>): Promise<void> {
  await Promise.all([
    shop('api-1'),
    shop('api-2', 'api-3'),
    shop('store-1'),
    shop('store-2'),
    shop('mail-1'),
  ]);
  const [, dying] = await Promise.all([shop('resize-1', 'resize-2'), shop('resize-3')]);
  const { line } = await start('dist/cli.js', 'dashboard', '--no-open', '--json');
  const page = await open((JSON.parse(line) as { url: string }).url);
  await sleep(130_000);
  dying.child.kill('SIGKILL');
  await sleep(6_000);
  await shop('resize-4');
  await sleep(12_000);
  await shoot(page, 'dashboard', 'dark', 'light');
  await page.locator('tr[data-peer="store-1"] button').click();
  await sleep(4_000);
  await shoot(page, 'dashboard-peer', 'light');
}

/** 200 peers in one process. */
async function recordCrowd(open: (url: string) => Promise<Page>): Promise<void> {
  const network = new MemoryNetwork();
  const groups = ['web', 'web', 'resize', 'store', 'mail'] as const;
  const peers = Array.from({ length: 200 }, (_, n) => {
    const group = groups[n % groups.length]!;
    const peer = createPeer({ network, name: `${group}-${n}`, group, hub: n % 40 === 3 });
    peer.connect(`${group}.work`, async () => sleep(4 * Math.exp(2.5 * Math.random())));
    return peer;
  });
  await Promise.all(peers.map((peer) => peer.start()));
  const observer = await createPeer({
    network,
    name: 'observer',
    group: 'observers',
    announce: false,
  }).start();
  const selector = { group: '*', where: ({ group }: { group: string }) => group !== 'observers' };
  const files = new URL('../../dist/dashboard/', import.meta.url);
  const dashboard = await startDashboard({ observer, selector, port: 0, files });
  const page = await open(dashboard.url);
  const linked = peers.map((peer) =>
    peer.peers
      .of({ group: '*' })
      .list()
      .filter(({ network: how }) => how !== undefined),
  );
  const work = setInterval(() => {
    for (let call = 0; call < 4; call += 1) {
      const others = linked[Math.floor(Math.random() * peers.length)]!;
      const other = others[Math.floor(Math.random() * others.length)];
      other?.call(`${other.group}.work`).catch(() => {});
    }
  }, 50);
  await sleep(60_000);
  await shoot(page, 'dashboard-200', 'light');
  clearInterval(work);
  await dashboard.close();
  await Promise.all([observer, ...peers].map((peer) => peer.stop({ drainTime: 0 })));
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
});
const open = async (url: string): Promise<Page> => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1010 } });
  const page = await context.newPage();
  await page.goto(url);
  return page;
};
try {
  await mkdir(images, { recursive: true });
  const which = process.argv[2];
  if (which !== 'crowd') await recordShop(open);
  if (which !== 'shop') await recordCrowd(open);
} finally {
  await browser.close();
  for (const child of running) child.kill();
  await rm(folder, { recursive: true, force: true });
}
process.exit();
