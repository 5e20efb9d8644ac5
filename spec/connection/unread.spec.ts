import { expect } from 'chai';

import type { Link } from '../../src/connection/link/link.ts';
import type { Peer, PeerOptions } from '../../src/index.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { eventually } from '../support/eventually.ts';
import { mute } from '../support/mute.ts';
import type { Mute } from '../support/mute.ts';
import { portOf, Stage } from '../support/peers.ts';
import { befriend } from '../support/friend.ts';

/** Answers that a peer is sent and does not read. */

const SECRET = makeSecret();
const MIB = 1024 * 1024;

describe('a peer that sends requests and does not read the answers', function () {
  this.timeout(120_000);
  const stage = new Stage();
  const mutes: Mute[] = [];

  afterEach(async () => {
    for (const each of mutes.splice(0)) each.leave();
    await stage.clear();
  });

  async function victim(options: PeerOptions = {}): Promise<{ peer: Peer; log: string[] }> {
    const log: string[] = [];
    const write = (line: unknown): void => void log.push(String(line));
    const logger = { debug: () => {}, info: () => {}, warn: write, error: write };
    const peer = stage.make({ runtimeDir: await stage.folder(), secret: SECRET, logger, ...options });
    peer.connect('echo', (...args: unknown[]) => args);
    peer.connect('length', (length: number) => 'x'.repeat(length));
    peer.connect('sleep', () => new Promise((resolve) => setTimeout(resolve, 60_000).unref()));
    await peer.start();
    return { peer, log };
  }

  const request = (id: number, tag: string, more: string): string =>
    `{"type":"request","id":${id},"tag":"${tag}",${more}}`;
  const filler = 'x'.repeat(1_000);
  const kinds: [what: string, lines: (id: number) => string][] = [
    [
      'results of calls with no streams, as it says',
      (id) => request(id, 'echo', `"args":["${filler}"],"streams":[]`),
    ],
    ['results of calls with streams', (id) => request(id, 'length', `"args":[100000,null],"streams":[1]`)],
    ['refusals', (id) => request(id, 'nowhere', '"args":[null],"streams":[0]')],
    [
      'refusals of what cannot be read',
      (id) => request(id, 'echo', '"args":[7],"meta":{"values":{"args.0":["Date"]},"v":1}'),
    ],
    [
      'refusals of what is taken back',
      (id) => `${request(id, 'sleep', '"args":[]')}\n{"type":"cancel","id":${id}}`,
    ],
    ['answers to subscriptions', (id) => `{"type":"subscribe","id":${id},"name":"n"}`],
    [
      'answers to subscriptions that come and go',
      (id) => `{"type":"subscribe","id":${id},"name":"n"}\n{"type":"unsubscribe","name":"n"}`,
    ],
  ];
  for (const [what, line] of kinds) {
    it(`is cut off, or held back, before it costs much: ${what}`, async () => {
      const { peer, log } = await victim({ limits: { buffered: MIB } });
      const unread = await mute(portOf(peer), SECRET);
      mutes.push(unread);
      await eventually(() => linkTo(peer, 'someone') !== undefined);
      const link = linkTo(peer, 'someone')!;
      let most = 0;
      for (let id = 1; id < 240_000 && link.broken === undefined; id += 200) {
        unread.send(Array.from({ length: 200 }, (_, index) => line(id + index)).join('\n'));
        await new Promise((resolve) => setImmediate(resolve));
        most = Math.max(most, link.socket.bufferedAmount);
      }
      // Beside the limit there may be one message, and what was told above.
      expect(most).to.be.below(8 * MIB);
      if (link.broken !== undefined) {
        expect(link.broken).to.equal('it asks without reading the answers');
        expect(log.join()).to.include('it asks without reading the answers');
        await eventually(() => expect([...peer.peers]).to.deep.equal([]));
      }
    });
  }

  it('gets no answer where none is due', async () => {
    const { peer } = await victim();
    const { socket, message } = await befriend(portOf(peer), SECRET);
    for (let id = 1; id <= 100; id += 1) {
      socket.send(`{"type":"next","id":${id},"meta":{"values":{"value":["Date"]},"v":1},"value":7}`);
      socket.send(`{"type":"cancel","id":${id}}\n{"type":"credit","id":${id},"count":1,"bytes":1}`);
    }
    socket.send(request(1, 'echo', '"args":[]'));
    expect(await message).to.equal('{"type":"result","id":1,"value":[]}');
    socket.terminate();
  });

  it('is never cut off for streams, however many have a value to send at the same time', async () => {
    const limits = { buffered: 65_536, streams: 1_024 };
    const { a, b, toB } = await stage.pair({ runtimeDir: await stage.folder(), secret: SECRET, limits });
    let start = (): void => {};
    const started = new Promise<void>((resolve) => (start = resolve));
    let asked = 0;
    b.connect('wide', async function* () {
      asked += 1;
      if (asked === 600) start();
      await started;
      yield 'w'.repeat(60_000);
    });
    const read = async (): Promise<void> => {
      for await (const text of (await toB.call('wide')) as AsyncIterable<string>) {
        expect(text).to.have.length(60_000);
      }
    };
    // 36 MB, which is more than kernels take.
    await Promise.all(Array.from({ length: 600 }, read));
    expect(linkTo(b, a.id)?.broken).to.equal(undefined);
  });

  it('is never cut off when it keeps to the limits, whatever both sides do', async () => {
    const limits = { buffered: 65_536, message: 65_536, calls: 64, streams: 256, subscriptions: 8 };
    const runtimeDir = await stage.folder();
    const { a, b, toA, toB } = await stage.pair({ runtimeDir, secret: SECRET, limits });
    let leaves = 0;
    for (const peer of [a, b]) {
      peer.peers.on('leave', () => (leaves += 1));
      peer.connect('length', (length: number) => 'x'.repeat(length));
      peer.connect('later', async (text: string) => text);
      peer.connect('values', async function* (count: number) {
        for (let index = 0; index < count; index += 1) yield 'v'.repeat(20_000);
      });
      peer.connect('count', async (values: AsyncIterable<unknown>) => {
        let count = 0;
        for await (const _ of values) count += 1;
        return count;
      });
    }
    async function* many(): AsyncGenerator<string> {
      for (let index = 0; index < 50; index += 1) yield 'a'.repeat(20_000);
    }
    const text = 't'.repeat(50_000);
    const work: Promise<unknown>[] = [];
    for (const to of [toA, toB]) {
      for (let round = 0; round < 200; round += 1) {
        work.push(to.call('length', [60_000]), to.call('later', [text]));
        const stop = new AbortController();
        work.push(to.call('later', [text], { signal: stop.signal }).catch(() => {}));
        setImmediate(() => stop.abort());
        work.push(
          to
            .call('nowhere', [many()])
            .catch((error: { code: string }) => expect(error.code).to.equal('NO_SUCH_TAG')),
        );
      }
      for (let stream = 0; stream < 12; stream += 1) {
        work.push(to.call('count', [many()]));
        const read = async (): Promise<void> => {
          let count = 0;
          for await (const _ of (await to.call('values', [50])) as AsyncIterable<unknown>) count += 1;
          expect(count).to.equal(50);
        };
        work.push(read());
      }
    }
    for (const [peer, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const event = peer.event('much');
      const heard = other.event('much');
      for (let round = 0; round < 300; round += 1) {
        const subscription = heard.subscribe(() => {});
        if (round % 2) subscription.unsubscribe();
        event.emit('e'.repeat(10_000));
      }
    }
    await Promise.all(work);
    expect(leaves).to.equal(0);
    for (const [peer, id] of [
      [a, b.id],
      [b, a.id],
    ] as const)
      expect(linkTo(peer, id)?.broken).to.equal(undefined);
  });
});

function linkTo(peer: Peer, id: string): Link | undefined {
  const connection = peer.actor.system.get(`connection:${id}`);
  const context = connection?.getSnapshot().context as { record?: { link?: Link } } | undefined;
  return context?.record?.link;
}
