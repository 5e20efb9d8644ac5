import { expect } from 'chai';

import type { Peer, PeersChange, RemotePeer } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { failure, Stage } from '../support/peers.ts';
import { Processes } from '../support/processes.ts';

/** Answers `wait` when `release` is called, and has a function `lamp` between `switch('on')` and `switch('off')`. */
const WORKER = `
  import { connect, disconnect, serve } from 'app-net';
  let waiting = [];
  connect('pid', () => process.pid);
  connect('wait', () => new Promise((resolve) => waiting.push(() => resolve(process.pid))));
  connect('waiting', () => waiting.length);
  connect('release', () => waiting.splice(0).forEach((each) => each()));
  const lamp = () => 'light from ' + process.pid;
  connect('switch', (to) => { to === 'on' ? connect('lamp', lamp) : disconnect(lamp); });
  await serve();
`;

describe('three processes with the same functions', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const processes = new Processes();
  let peer: Peer;
  let peers: RemotePeer[];

  before(async () => {
    const folder = await stage.folder();
    await Promise.all(Array.from({ length: 3 }, () => processes.start(folder, WORKER)));
    peer = stage.make({ runtimeDir: folder });
    peers = await peer.peers.ready('switch', { min: 3 });
  });

  after(async () => {
    await processes.clear();
    await stage.clear();
  });

  const pid = (): Promise<number> => peer.remote<() => number>('pid').any()();
  const pids = (): number[] => peers.map((each) => each.pid);

  it('all get a share of the calls to any of them', async () => {
    const counts = new Map<number, number>();
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        for (let count = 0; count < 50; count += 1) {
          const one = await pid();
          counts.set(one, (counts.get(one) ?? 0) + 1);
        }
      }),
    );
    expect([...counts.keys()]).to.have.members(pids());
    // A third each is expected; one that gets less processor time than the others gets less to do.
    for (const count of counts.values()) expect(count).to.be.above(150);
  });

  it('get fewer calls while they are busier than the others', async () => {
    const [busy] = peers;
    const held = Array.from({ length: 20 }, () => busy!.call('wait'));
    const seen = new Set<number>();
    for (let count = 0; count < 60; count += 1) seen.add(await pid());
    expect([...seen]).to.have.members(pids().filter((each) => each !== busy!.pid));
    await eventually(async () => expect(await busy!.call('waiting')).to.equal(20));
    await busy!.call('release');
    await Promise.all(held);
  });

  it('return their results in the order in which they are ready', async () => {
    const results = peer.remote<() => number>('wait').all()();
    await eventually(async () => {
      for (const each of peers) expect(await each.call('waiting')).to.equal(1);
    });
    for (const each of [peers[2]!, peers[0]!, peers[1]!]) {
      await each.call('release');
      const { value } = await results.next();
      expect(value).to.deep.equal({ peer: each, status: 'fulfilled', value: each.pid });
    }
    expect(await results.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('announce a function that they connect or disconnect while they are online', async () => {
    const [first, second] = peers;
    const lamp = peer.remote<() => string>('lamp');
    const changes: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      const word = (change: PeersChange): string =>
        change.type === 'snapshot' ? 'snapshot' : `${change.type} ${pids().indexOf(change.peer.pid)}`;
      for await (const change of peer.peers.of({ has: 'lamp' }).watch({ signal: stop.signal }))
        changes.push(word(change));
    })();
    expect(await failure(lamp.any()())).to.include({ code: 'NO_SUCH_TAG' });
    const light = lamp.any({}, { wait: true })();
    const two = peer.peers.ready('lamp', { min: 2 });

    await first!.call('switch', ['on']);
    expect(await light).to.equal(`light from ${first!.pid}`);
    expect(first!.functions).to.include('lamp');
    await second!.call('switch', ['on']);
    expect(await two).to.deep.equal([first, second]);

    await first!.call('switch', ['off']);
    expect(first!.functions).not.to.include('lamp');
    for (let count = 0; count < 5; count += 1)
      expect(await lamp.any()()).to.equal(`light from ${second!.pid}`);
    await second!.call('switch', ['off']);
    expect(await failure(lamp.any()())).to.include({ code: 'NO_SUCH_TAG' });
    await eventually(() =>
      expect(changes).to.deep.equal(['snapshot', 'join 0', 'join 1', 'leave 0', 'leave 1']),
    );
    stop.abort();
    await watching;
  });
});
