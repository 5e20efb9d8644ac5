import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import type { Attachment, Network, NetworkUser } from '../../src/providers/network.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { failure, meet, Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

/** Where nobody can look up beforehand who has an id, as on a LAN. */
class Unlisted implements Network {
  readonly #network: MemoryNetwork;

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  attach(user: NetworkUser): Attachment {
    const { providers, ...attachment } = this.#network.attach(user);
    const [provider] = providers;
    return { ...attachment, providers: [{ ...provider!, announced: () => Promise.resolve(undefined) }] };
  }
}

const SERVING = `
  import { createPeer } from 'app-net';
  const peer = createPeer({ id: 'double' });
  peer.peers.on('leave', (other) => {
    setInterval(() => console.log(peer.evidence(other.id).text), 100);
  });
  await peer.start();
  console.log('["up"]');
`;

describe('two processes with one id', () => {
  const stage = new Stage();
  const processes = new Processes();
  let network: MemoryNetwork;

  beforeEach(() => {
    network = new MemoryNetwork();
  });
  afterEach(async () => {
    await processes.clear();
    await stage.clear();
  });

  function tell(peer: Peer): string[] {
    const told: string[] = [];
    peer.peers.on('join', (other) => told.push(`+${other.name}`));
    peer.peers.on('leave', (other, why) => told.push(`-${other.name} ${why}`));
    return told;
  }

  it('cannot coexist: the second one fails to start, and the first one never notices', async () => {
    const witness = await stage.make({ network, name: 'witness' }).start();
    const first = await stage.make({ network, name: 'first', id: 'twin' }).start();
    await Promise.all([meet(witness, 'twin'), meet(first, witness.id)]);
    const stories = [tell(witness), tell(first)];
    const second = stage.make({ network, name: 'second', id: 'twin' });
    const error = await failure(second.start());
    expect(error).to.include({ code: 'ID_TAKEN', ran: 'no', retriable: false });
    expect(String(error)).to.contain(`another process (${process.pid}) is alive and has the id "twin"`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stories).to.deep.equal([[], []]);
    expect(first.peers.size).to.equal(1);
  });

  it('may follow each other: the announcement of a dead one is no obstacle', async () => {
    const witness = await stage.make({ network, name: 'witness' }).start();
    await stage.make({ network, name: 'first', id: 'twin' }).start();
    const [old] = await meet(witness, 'twin');
    const told = tell(witness);
    network.kill('twin');
    await stage.make({ network, name: 'second', id: 'twin' }).start();
    await eventually(() => told.length === 2);
    expect(told).to.deep.equal(['-first lost', '+second']);
    expect(await failure(old!.call('x'))).to.include({ code: 'NOT_SENT' });
  });

  it('are told apart by peers that know the first: they refuse the second, and tell it why', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): unknown => warnings.push(warning.message);
    process.on('warning', listen);
    try {
      const witness = await stage.make({ network, name: 'witness' }).start();
      const first = await stage.make({ network, name: 'first', id: 'double' }).start();
      await Promise.all([meet(witness, 'double'), meet(first, witness.id)]);
      const told = tell(witness);
      const second = await stage
        .make({ network: new Unlisted(network), name: 'second', id: 'double' })
        .start();
      const seen = tell(second);
      await eventually(() => second.evidence(witness.id)?.detail?.includes('alive'));
      expect(String(second.evidence(witness.id)!)).to.match(
        /^hinted at by memory, [1-9]\d* dials? failed: another process is alive and has the id "double"; give each process/,
      );
      await eventually(() => second.evidence(witness.id)!.text.includes('2 dials failed'));
      expect([told, seen]).to.deep.equal([[], []]);
      expect(warnings.filter((each) => each.includes('"double"'))).to.have.length(1);
      // Once the first one has gone the second one takes its place.
      await first.stop();
      await eventually(() => told.length === 2);
      expect(told).to.deep.equal(['-first stopped', '+second']);
    } finally {
      process.off('warning', listen);
    }
  });

  it('on one host: a process that does not answer counts as dead, and is replaced', async function () {
    this.timeout(120_000);
    const runtimeDir = await stage.folder();
    const witness = await stage.make({ runtimeDir, name: 'witness' }).start();
    const first = await processes.start(runtimeDir, SERVING);
    const [old] = await meet(witness, 'double');
    const told = tell(witness);
    first.child.kill('SIGSTOP');
    // It has 100 ms to answer the second one, and a second to answer the witness.
    await stage.make({ runtimeDir, id: 'double', name: 'second', ping: 100 }).start();
    await eventually(() => told.length === 2);
    expect(told).to.deep.equal([`-${old!.name} replaced`, '+second']);
    expect(String(await failure(old!.call('x')))).to.contain('(replaced)');
    first.child.kill('SIGCONT');
    // It finds out that it was replaced, and does not come back.
    await first.line((line) => String(line).includes('is alive and has the id'), 60_000);
    expect(told.length).to.equal(2);
  });

  it('on one host: the second cannot start while the first runs, and can start when that was killed', async () => {
    const runtimeDir = await stage.folder();
    const first = await processes.start(runtimeDir, SERVING);
    const witness = await stage.make({ runtimeDir, name: 'witness' }).start();
    await meet(witness, 'double');
    const error = await failure(stage.make({ runtimeDir, id: 'double' }).start());
    expect(error).to.include({ code: 'ID_TAKEN' });
    expect(String(error)).to.contain(`(${first.pid})`);
    await first.kill('SIGKILL');
    const third = await stage.make({ runtimeDir, name: 'third', id: 'double' }).start();
    await eventually(() => witness.peers.get(third.id)?.name === 'third');
  });
});
