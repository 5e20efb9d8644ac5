import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';

import { expect } from 'chai';

import { COMMAND } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';
import type { TestProcess } from '../support/processes.ts';
import { checkMetrics, needPrometheus } from '../support/promtool.ts';

const WORKER = `
import { connect, serve } from 'app-net';
connect('job.run', (n) => n + 1);
connect('job.fail', () => { throw new RangeError('no'); });
await serve({ stopOn: ['SIGTERM'] });
`;

const CALLER = `
import { createPeer, metricsText } from 'app-net';
const peer = createPeer({ name: 'caller' });
await peer.start();
metricsText(peer);
const run = peer.remote('job.run');
const fail = peer.remote('job.fail');
for (let n = 0; n < 10; n += 1) await run.any({}, { wait: true })(n);
await fail.any()().catch(() => {});
console.log(JSON.stringify({ done: true }));
await peer.serve();
`;

describe('app-net metrics', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  const others: ChildProcess[] = [];
  let folder: string;
  let url: string;

  beforeEach(async () => {
    folder = await stage.folder();
  });

  afterEach(async () => {
    for (const child of others.splice(0)) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await processes.clear();
    await stage.clear();
  });

  const serve = async (...options: string[]): Promise<TestProcess> => {
    const command = processes.run(folder, [COMMAND, 'metrics', '--port', '0', '--json', ...options]);
    ({ url } = await command.line<{ url: string }>((line) => line.url !== undefined));
    return command;
  };
  const scrape = async (accept = '*/*'): Promise<string> => {
    const response = await fetch(url, { headers: { accept } });
    expect(response.status).to.equal(200);
    return response.text();
  };
  const value = (text: string, line: RegExp): number => Number(line.exec(text)?.[1] ?? 'NaN');

  for (const command of ['metrics', 'dashboard']) {
    it(`refuses a port above 65535 (${command})`, async () => {
      const refused = processes.run(folder, [COMMAND, command, '--port', '65536']);
      expect(await refused.exited).to.equal(2);
      expect(refused.errors).to.include('Give a port from 0 to 65535.');
    });
  }

  it('adds up the numbers of all peers, and keeps those of peers that left', async () => {
    const worker = await processes.start(folder, WORKER);
    await worker.announced(folder);
    const command = await serve();
    // The first question begins to count.
    await eventually(async () => expect(await scrape()).to.include('app_net_uptime_seconds{group="main"}'));
    const caller = await processes.start(folder, CALLER);
    await caller.line<{ done?: boolean }>((line) => line.done === true);
    const ran =
      /^app_net_server_call_duration_seconds_count\{group="main",tag="job\.run",code="OK",ran="yes"\} (\d+)$/m;
    await eventually(async () => expect(value(await scrape(), ran)).to.equal(10));
    const text = await scrape();
    expect(
      value(
        text,
        /^app_net_client_call_duration_seconds_count\{group="main",tag="job\.fail",code="ERROR",ran="yes"\} (\d+)$/m,
      ),
    ).to.equal(1);
    await worker.kill('SIGTERM');
    await eventually(async () => {
      const after = await scrape();
      expect(value(after, /^app_net_peer_leaves_total\{group="main",why="stopped"\} (\d+)$/m)).to.be.above(0);
      expect(value(after, ran)).to.equal(10);
    });
    expect(await scrape('application/openmetrics-text')).to.match(/# EOF\n$/);
    await command.kill('SIGINT');
  });

  it('answers only by an address of this host, and only what it has', async () => {
    await serve('--by-peer');
    const status = (path: string, host?: string, method = 'GET'): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = host === undefined ? {} : { host };
        const asked = request(new URL(path, url), { method, headers }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        });
        asked.on('error', reject).end();
      });
    expect(await status('/metrics')).to.equal(200);
    expect(await status('/metrics', 'evil.example')).to.equal(403);
    expect(await status('/metrics', 'localhost:80')).to.equal(200);
    expect(await status('/')).to.equal(404);
    expect(await status('/metrics', undefined, 'POST')).to.equal(405);
  });

  it('is scraped by a real Prometheus, which reads every series', async function () {
    needPrometheus(this);
    const worker = await processes.start(folder, WORKER);
    await worker.announced(folder);
    await serve('--by-peer');
    await eventually(async () => expect(await scrape()).to.include('app_net_uptime_seconds{group="main"'));
    const caller = await processes.start(folder, CALLER);
    await caller.line<{ done?: boolean }>((line) => line.done === true);
    expect(checkMetrics(await scrape())).to.equal('');

    const port = await freePort();
    const data = join(folder, 'prometheus');
    await mkdir(data);
    const config = {
      global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
      scrape_configs: [{ job_name: 'app-net', static_configs: [{ targets: [new URL(url).host] }] }],
    };
    // JSON is YAML.
    await writeFile(join(data, 'prometheus.yml'), JSON.stringify(config));
    const prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(data, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(data, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    others.push(prometheus);
    const query = async (text: string): Promise<number> => {
      const asked = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`);
      const { data: answer } = (await asked.json()) as { data: { result: { value: [number, string] }[] } };
      return Number(answer.result[0]?.value[1] ?? NaN);
    };
    await eventually(async () => {
      expect(
        await query('sum(app_net_server_call_duration_seconds_count{tag="job.run",code="OK"})'),
      ).to.equal(10);
    }, 30_000);
    expect(await query('up')).to.equal(1);
    expect(
      await query('app_net_client_call_duration_seconds_count{tag="job.fail",code="ERROR",peer="caller"}'),
    ).to.equal(1);
    expect(await query('count(app_net_client_call_duration_seconds_bucket{tag="job.run"})')).to.equal(15);
    expect(
      await query(
        'histogram_quantile(0.5, sum by (le) (app_net_server_call_duration_seconds_bucket{tag="job.run"}))',
      ),
    ).to.be.within(0, 1);
    const series = new Set(
      (await scrape())
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => line.replace(/[{ ].*/, '')),
    );
    for (const name of series) expect(await query(`count(${name})`), name).to.be.at.least(1);
  });
});
