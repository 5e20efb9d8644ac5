import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { COMMAND } from '../support/command.ts';
import type { LanHost } from '../support/lan-host.ts';
import { Lan, needLan } from '../support/lan.ts';

interface Result {
  status: string;
  check: string;
  says: string;
  todo?: string;
}

const SERVER = `
  import { connect, serve } from 'app-net';
  connect('one', () => 1);
  const serving = serve();
  console.log('["up"]');
  await serving;
`;

describe('app-net doctor on a LAN', function () {
  this.timeout(120_000);
  let lan: Lan;

  before(async function () {
    await needLan(this);
  });

  beforeEach(async () => {
    lan = await Lan.open();
  });

  afterEach(() => lan?.close());

  /** The environment of a host with this secret. */
  const environment = async (host: LanHost, secret: string): Promise<NodeJS.ProcessEnv> => {
    const file = join(host.folder, 'net.secret');
    await writeFile(file, `${secret}\n`, { mode: 0o600 });
    return { APP_NET_LAN: '1', APP_NET_SECRET_FILE: file };
  };
  const problems = async (host: LanHost, env: NodeJS.ProcessEnv): Promise<Result[]> => {
    const doctor = host.run([COMMAND, 'doctor', '--json'], env);
    await doctor.line(({ check }: Result) => check === 'summary');
    return (doctor.lines as Result[]).filter(
      ({ status, check }) => status === 'problem' && check !== 'summary',
    );
  };

  it('reports that multicast does not work, and how to find peers without it', async () => {
    const host = await lan.host('a');
    const env = await environment(host, makeSecret());
    expect(await problems(host, env)).to.deep.equal([]);
    await host.unplug('eth0');
    const [problem, ...others] = await problems(host, env);
    expect(others).to.deep.equal([]);
    expect(problem).to.include({
      check: 'multicast',
      says: 'no network interface to other hosts is up',
    });
    expect(problem!.todo).to.include('APP_NET_PEERS=host:port');
  });

  it('reports a peer of another host with another secret, and finds no problem with one that has the same', async () => {
    const [here, there] = [await lan.host('a'), await lan.host('b')];
    const secret = makeSecret();
    const server = await there.start(SERVER, { env: await environment(there, secret) });
    await server.line((line: unknown) => Array.isArray(line));
    expect(await problems(here, await environment(here, secret))).to.deep.equal([]);
    const [problem, ...others] = await problems(here, await environment(here, makeSecret()));
    expect(problem).to.include({ check: 'wrong secret' });
    expect(problem!.says).to.match(new RegExp(`at ${there.address}:\\d+ .*has another secret`));
    expect(others).to.deep.equal([]);
  });
});
