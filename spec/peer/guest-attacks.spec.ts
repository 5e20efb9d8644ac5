import { hostname } from 'node:os';

import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import { digestOf } from '../../src/presence/exchange/function-lists.ts';
import { fingerprintOf } from '../../src/presence/members/fingerprint.ts';
import { passOnRequests } from '../../src/wire/unread/passed-on.ts';
import { makeSecret } from '../../src/wire/handshake/secret.ts';
import { openPage } from '../support/page.ts';
import type { Page } from '../support/page.ts';
import { meet, Stage } from '../support/peers.ts';
import { seeded } from '../support/random.ts';

/** What a guest must not learn: it is in no frame that it gets. */
const SECRETS = ['canary.function', 'canary.event', 'canary.wanted', 'canary-peer', `"${hostname()}"`];

describe('a guest that sends whatever it likes', () => {
  const stage = new Stage();
  let server: Peer;
  let other: Peer;
  let page: Page;
  const lost: string[] = [];

  beforeEach(async () => {
    const secret = makeSecret();
    const runtimeDir = await stage.folder();
    server = stage.make({ secret, runtimeDir, pages: {} });
    other = stage.make({ secret, runtimeDir, name: 'canary-peer' });
    await Promise.all([server.start(), other.start()]);
    for (const peer of [server, other]) peer.connect('canary.function', () => 'canary.event');
    server.connect('open', () => 'yes');
    await meet(server, other.id);
    server.event('canary.wanted').subscribe(() => lost.push('an event of the guest was believed'));
    server.peers.on('leave', ({ id }) => lost.push(id));
    const pass = await server.pass({ may: ['open'], hear: ['news'], offers: ['page'] });
    page = await openPage(server.pagesUrl!, pass);
  });
  afterEach(() => stage.clear());

  /** Frames of every kind, with what a good guesser would put into them. */
  function frames(random: () => number): ({ type: string } & Record<string, unknown>)[] {
    const some = <T>(...choices: T[]): T => choices[Math.floor(random() * choices.length)]!;
    const { incarnation } = other.actor.getSnapshot().context.self as { incarnation: string };
    const mark = { id: other.id, incarnation, started: Date.now() + 1e6, version: 1 };
    const fingerprint = fingerprintOf({ ...mark, version: some(1, 2, 3) });
    const digest = digestOf(some(['canary.function'], ['canary.function', 'open'], []));
    const id = 1_000_000 + Math.floor(random() * 1e6);
    const about = {
      addresses: [],
      name: 'x',
      group: 'main',
      hub: false,
      pid: 1,
      host: 'h',
      functions: digest,
    };
    return [
      { type: 'subscribe', id, name: some('*', 'canary.even', 'news', 'canary.*') },
      { type: 'unsubscribe', name: some('*', 'canary.even') },
      { type: 'subscribed', id: some(1, 2, id), sequence: 0 },
      { type: 'event', name: some('canary.wanted', 'page.moved'), sequence: id, value: 1 },
      { type: 'functions', added: some(['canary.function'], ['open'], ['net.watch']), removed: ['open'] },
      { type: 'joined', members: [{ ...mark, ...about }] },
      { type: 'left', peer: mark, why: some('stopped', 'refused', 'lost') },
      { type: 'accused', peer: mark, by: some(server.id, other.id), turn: 9 },
      { type: 'have', peer: mark, by: other.id, turn: 9 },
      { type: 'digest', digest: some(digest, fingerprint) },
      { type: 'summary', fingerprints: some([], [fingerprint]) },
      { type: 'difference', offered: [], wanted: [fingerprint] },
      { type: 'offered', fingerprints: [fingerprint] },
      { type: 'wanted', fingerprints: [fingerprint] },
      { type: 'lists', digests: [digest] },
      { type: 'list', digest, tags: ['canary.function'] },
      { type: 'load', tag: some('canary.function', 'open'), running: 1, waiting: 0, yours: 0, limit: 1 },
      { type: 'result', id: some(1, id), value: 1 },
      { type: 'error', id: some(1, id), failure: { code: 'DUPLICATE', ran: 'no', message: 'x' } },
      { type: 'cancel', id: some(1, id) },
      { type: 'credit', id: some(1, id), count: 1, bytes: 1 },
      { type: 'next', id: some(1, id), arg: 0, value: 1 },
      { type: 'complete', id: some(1, id), arg: 0 },
      { type: 'goaway', last: 0, reason: some('duplicate', 'idle') },
    ];
  }

  it('learns nothing, and changes nothing', async function () {
    this.timeout(120_000);
    const random = seeded(5);
    let heard = '';
    page.socket.on('message', (data: Buffer) => (heard += data.toString('utf8')));
    let isOver = false;
    page.socket.on('close', () => (isOver = true));
    for (let round = 0; round < 60 && !isOver; round += 1) {
      for (const frame of frames(random)) {
        // A goaway may end the link, as it may.
        if (round < 50 && frame.type === 'goaway') continue;
        page.send(frame);
      }
      const tag = ['canary.functio', 'net.info', 'net.metrics', 'net.watch', 'net.ping', '*', ''][round % 7]!;
      const answer = page.call(tag || '__proto__');
      if (round < 50) expect((await answer).failure?.code, tag).to.equal('NO_SUCH_TAG');
      server.event('canary.event').emit(round);
      const extra = server.connect('canary.function.more', () => 1);
      server.disconnect(extra);
      if (round < 50) expect((await page.ask({ type: 'subscribe', name: 'other' })).sequence).to.equal(0);
    }
    for (const secret of SECRETS) expect(heard).not.to.include(secret);
    expect(heard).to.include('NO_SUCH_TAG');
    expect(lost).to.deep.equal([]);
    expect(server.peers.get(other.id)?.functions).to.deep.equal(['canary.function']);
    expect(await server.peers.get(other.id)!.call('canary.function')).to.equal('canary.event');
    for (const { functions, guest } of await server.getPeers())
      if (guest) expect(functions).to.deep.equal([]);
  });

  it('cannot tell a function in threads that it may not call from one that is not there', async () => {
    // As `connect` does for a function with `threads`: its requests are not read where they arrive.
    passOnRequests('canary.threaded');
    const pass = await server.pass({ may: ['open'] });
    /** What becomes of a line that is no right request. */
    const answers = async (tag: string, rest: string): Promise<unknown> => {
      const guest = await openPage(server.pagesUrl!, pass);
      guest.socket.send(`{"type":"request","id":7,"tag":"${tag}",${rest}}`);
      guest.socket.send(JSON.stringify({ type: 'request', id: 8, tag: 'open', args: [], kwargs: {} }));
      const said = new Promise((resolve) => {
        guest.socket.on('message', () => {
          if (guest.frames.some(({ id }) => id === 8)) resolve(undefined);
        });
      });
      const code = await Promise.race([guest.closed, said]);
      const heard = guest.frames.filter(({ id }) => id === 7 || id === 8);
      guest.socket.close();
      return [code, JSON.stringify(heard).replaceAll(tag, 'x')];
    };
    const wrong = [
      '"args":[nonsense],"kwargs":{}',
      '"args":[1,],"kwargs":{},"deadline":5000',
      '"args":[{"a":1}],"kwargs":{},"meta":{"args":{"date":["0"]}}',
      '"args":["x"],"kwargs":{},"meta":{"binary":1}',
      `"args":[${'['.repeat(2_000)}${']'.repeat(2_000)}],"kwargs":{}`,
      '"args":[1],"kwargs":{}',
    ];
    for (const rest of wrong) {
      const [there, absent] = await Promise.all([
        answers('canary.threaded', rest),
        answers('canary.absently', rest),
      ]);
      expect(there, rest.slice(0, 60)).to.deep.equal(absent);
    }
  });

  it('cannot have passes revoked that it has made up, nor its own for a shorter time', async () => {
    const pass = await server.pass();
    const guest = await openPage(server.pagesUrl!, pass);
    const [shown, key] = pass.split('.') as [string, string];
    const claims = JSON.parse(Buffer.from(shown, 'base64url').toString()) as object;
    const made = (changes: object): string =>
      Buffer.from(JSON.stringify({ ...claims, ...changes })).toString('base64url');
    const stranger = stage.make({ secret: makeSecret(), runtimeDir: await stage.folder() });
    const wrong = [
      ...[
        shown,
        `${shown}.`,
        `${made({ exp: 1_999_999_999 })}.${key}`,
        `${made({ id: 'x'.repeat(16) })}.${key}`,
      ],
      ...[`${shown}.${'A'.repeat(43)}`, await stranger.pass(), '', 7 as unknown as string],
    ];
    for (const each of wrong) expect(() => server.revoke(each), each).to.throw(TypeError, 'pass: ');
    expect((await guest.call('net.ping')).failure?.code).to.equal('NO_SUCH_TAG');
    server.revoke(pass);
    expect(await guest.closed).to.equal(4401);
  });
});
