import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { expect } from 'chai';

import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { COMMAND } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { Lan, needLan } from '../support/lan.ts';
import type { LanHost } from '../support/lan-host.ts';
import { ip } from '../support/lan-tools.ts';
import { NatsServer, needNats } from '../support/nats-server.ts';
import { needNode24 } from '../support/node-24.ts';
import { Stage } from '../support/peers.ts';
import { LIBRARY, Processes, REPOSITORY, TestProcess } from '../support/processes.ts';

/** Runs what the guides of hosts print: on hosts of a LAN of its own, and in namespaces as those of a pod. */

/** Answers the one name of the guide with addresses that it is given. */
const DNS = `
import { createSocket } from 'node:dgram';
import packet from '${join(REPOSITORY, 'node_modules/dns-packet/index.js')}';
const [name, ...addresses] = process.env.ZONE.split(' ');
const socket = createSocket('udp4');
socket.on('message', (message, { port, address }) => {
  const { id, questions } = packet.decode(message);
  const isKnown = questions[0].name === name;
  const isAsked = isKnown && questions[0].type === 'A';
  const answers = isAsked ? addresses.map((data) => ({ type: 'A', name, ttl: 5, data })) : [];
  const flags = packet.RECURSION_DESIRED | (isKnown ? 0 : 3);
  socket.send(packet.encode({ id, type: 'response', flags, questions, answers }), port, address);
});
socket.bind(53, '0.0.0.0', () => console.log('{"up":true}'));
`;

/** As `readOnlyRootFilesystem: true` does it. `/proc` and `/sys` are no disks. */
const READ_ONLY = `
  for folder in $(awk '$2 !~ "^/(proc|sys)" { print $2 }' /proc/self/mounts | sort -r); do
    mount -o remount,bind,ro "$folder"
  done
  ! touch /app-net-probe 2>/dev/null`;

/** Four requests at a time until it is told to end; then says how many had which status. */
const LOAD = `
const counts = {};
let isOver = false;
process.once('SIGTERM', () => (isOver = true));
const client = async () => {
  while (!isOver) {
    const { status } = await fetch('http://127.0.0.1:8080/');
    counts[status] = (counts[status] ?? 0) + 1;
    if (counts[status] === 8) console.log(JSON.stringify({ begun: status }));
  }
};
await Promise.all([client(), client(), client(), client()]);
console.log(JSON.stringify({ counts }));
`;

const NODES = { 'this Node': () => process.execPath, 'Node 24': needNode24 };

for (const [title, need] of Object.entries(NODES))
  describe(`the guides of hosts, on ${title}`, function () {
    this.timeout(120_000);
    let node: string;
    const stage = new Stage();
    const processes = new Processes();
    let lan: Lan | undefined;

    before(async function () {
      node = await need(this);
    });

    afterEach(async () => {
      await processes.clear();
      await lan?.close();
      lan = undefined;
      await stage.clear();
    });

    it('run on two hosts', async function () {
      await needLan(this);
      lan = await Lan.open();
      const hosts = [await lan.host('alpha'), await lan.host('beta')] as const;
      const secretFile = join(await stage.folder(), 'net.secret');
      await writeFile(secretFile, makeSecret(), { mode: 0o600 });
      const guide = read('run-on-two-hosts.md');
      const env = { APP_NET_LAN: '1', APP_NET_SECRET_FILE: secretFile };
      expect(guide).to.include('APP_NET_LAN=1 APP_NET_SECRET_FILE=net.secret node hosts.mjs');
      const options = { name: 'hosts.mjs', env, node };
      const [first, second] = await Promise.all(
        hosts.map((host) => host.start(snippet(guide, 'hosts.mjs'), options)),
      );
      await first!.line(
        (line) => line === `hosts.mjs:${second!.pid} on beta joined and says: process ${second!.pid}`,
      );
      await second!.line(
        (line) => line === `hosts.mjs:${first!.pid} on alpha joined and says: process ${first!.pid}`,
      );
      await second!.kill();
      await first!.line((line) => line === `hosts.mjs:${second!.pid} left: lost`);
    });

    it('lead from one LAN to many', async function () {
      needNats(this);
      const guide = read('from-one-lan-to-many.md');
      expect(guide).to.include(
        'APP_NET_NATS=nats://nats.example:4222 APP_NET_SECRET_FILE=net.secret node hosts.mjs',
      );
      // As it is printed, with the lines that make the server tell of deaths.
      const [, configuration] = /^```\n(accounts \{\n[\s\S]*?)^```/m.exec(guide)!;
      const server = await NatsServer.start({ configuration: configuration! });
      try {
        const url = server.url.replace('//', '//app:change-me-too@');
        const secretFile = join(await stage.folder(), 'net.secret');
        await writeFile(secretFile, makeSecret(), { mode: 0o600 });
        const env = { APP_NET_NATS: url, APP_NET_SECRET_FILE: secretFile };
        const [first, second] = await Promise.all(
          [1, 2].map(async () =>
            processes.start(await stage.folder(), snippet(guide, 'hosts.mjs'), {
              name: 'hosts.mjs',
              env,
              node,
            }),
          ),
        );
        const pattern = ({ pid }: TestProcess) =>
          new RegExp(`^hosts\\.mjs:${pid} on .+ joined: process ${pid}$`);
        await first!.line<string>((line) => pattern(second!).test(line));
        await second!.line<string>((line) => pattern(first!).test(line));
        await second!.kill();
        await first!.line((line) => line === `hosts.mjs:${second!.pid} left: lost`);
      } finally {
        await server.stop();
      }
    });

    it('tell why a peer is missing', async () => {
      const script = snippet(read('find-a-missing-peer.md'), 'look.mjs');
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const nobody = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      await new Promise((resolve) => server.close(resolve));
      const folder = await stage.folder();
      await put(folder, 'look.mjs', script);
      const looking = processes.run(
        folder,
        [join(folder, 'look.mjs'), nobody, 'unknown'],
        { APP_NET_PEERS: nobody },
        node,
      );
      const why = await looking.line<string>((line) => line.startsWith(`${nobody} sought:`));
      expect(why).to.match(/hinted at by static, \d+ dials? failed: .*ECONNREFUSED/);
      await looking.line((line) => line === 'unknown never heard of');
    });

    it('deploy to Kubernetes: pods find each other by the DNS, and one that is ended loses no call', async function () {
      await needLan(this);
      lan = await Lan.open();
      const guide = read('deploy-to-kubernetes.md');
      const [one, two, front, cluster] = await Promise.all(
        ['one', 'two', 'front', 'cluster'].map((name) => lan!.host(name)),
      );
      // As in most clusters.
      for (const { port } of [one!, two!, front!]) {
        await ip('-n', lan.namespace, 'link', 'set', port, 'type', 'bridge_slave', 'mcast_flood', 'off');
      }
      const folder = await stage.folder();
      const [secretFile, resolver] = [join(folder, 'secret'), join(folder, 'resolv.conf')];
      await writeFile(secretFile, makeSecret(), { mode: 0o400 });
      await writeFile(resolver, `nameserver ${cluster!.address}\n`);
      const printed = variables(guide);
      const [, name] = /^dns:(.*):4000$/.exec(printed['APP_NET_PEERS']!)!;
      const dns = await cluster!.start(DNS, { env: { ZONE: `${name} ${one!.address} ${two!.address}` } });
      await dns.line((line: object) => 'up' in line);

      // Process 1 on a disk that cannot be written, without a home.
      const pod = async (host: LanHost, file: string, ...served: string[]): Promise<TestProcess> => {
        await put(host.folder, file, snippet(guide, file));
        const namespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
        const prepare = `mount --bind ${resolver} /etc/resolv.conf && ${READ_ONLY} && exec "$@"`;
        const words = [...namespaces, 'sh', '-c', prepare, 'sh'];
        const env = { ...printed, APP_NET_NAME: host.name, APP_NET_SECRET_FILE: secretFile };
        const without = {
          APP_NET_RUNTIME_DIR: '',
          XDG_RUNTIME_DIR: '',
          TMPDIR: '/',
          HOME: undefined,
          NODE_OPTIONS: '',
          NODE_V8_COVERAGE: '',
        };
        const started = [...words, node, ...served, join(host.folder, file)];
        return new TestProcess(host.spawn(started, { ...env, ...without }));
      };
      const [worker] = await Promise.all(
        [one!, two!].map((host) => pod(host, 'worker.mjs', COMMAND, 'serve')),
      );
      const gateway = await pod(front!, 'gateway.mjs');
      const ask = `fetch('http://127.0.0.1:8080/ready').then(async (answer) => console.log(answer.status, await answer.text()))`;
      await eventually(async () => {
        expect(await front!.exec(process.execPath, '-e', ask)).to.match(/^200 2 workers/);
      }, 20_000);
      const [told] = /cannot find peers through host: the runtime directory/.exec(guide)!;
      expect(gateway.errors).to.include(told).and.to.include('EROFS: read-only file system');

      const load = await front!.start(LOAD);
      await load.line((line: object) => 'begun' in line);
      process.kill(processOne(worker!), 'SIGTERM');
      expect(await worker!.exited).to.equal(0);
      await eventually(() => expect(gateway.errors).to.match(/peer "one" .* left: stopped/));
      load.child.kill('SIGTERM');
      const { counts } = await load.line(
        (line: { counts: Record<string, number> }) => line.counts !== undefined,
      );
      expect(Object.keys(counts)).to.deep.equal(['200']);
      process.kill(processOne(gateway), 'SIGTERM');
      expect(await gateway.exited).to.equal(0);
    });
  });

function read(name: string): string {
  return readFileSync(join(REPOSITORY, 'docs/guides', name), 'utf8');
}

/** The snippet whose first line names this file. */
function snippet(guide: string, file: string): string {
  const found = [...guide.matchAll(/^```js\n([\s\S]*?)^```/gm)].find(([, code]) =>
    code!.startsWith(`// ${file}`),
  );
  expect(found, file).not.to.equal(undefined);
  return found![1]!;
}

/** As `Processes.start` does it: the library is where it was built. */
function put(folder: string, file: string, code: string): Promise<void> {
  return writeFile(join(folder, file), code.replaceAll("'app-net'", `'${LIBRARY}'`));
}

/** Those of the manifest. */
function variables(guide: string): Record<string, string> {
  const found = [...guide.matchAll(/\{ name: (APP_NET_\w+), value: '?([^' }]+)'? \}/g)];
  return Object.fromEntries(found.map(([, name, value]) => [name!, value!]));
}

/** The only child of `unshare`. */
function processOne({ pid }: TestProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}
