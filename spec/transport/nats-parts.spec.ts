import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { BadItem, Pieces, piecesOf } from '../../src/transport/nats/items.ts';
import { checkNatsOptions } from '../../src/transport/nats/nats-options.ts';
import type { NatsOptions } from '../../src/transport/nats/nats-options.ts';
import { Outbox, WINDOW } from '../../src/transport/nats/outbox.ts';
import { lifeAt, natsAddress } from '../../src/transport/nats/subjects.ts';
import { addressText, isLoopback } from '../../src/transport/address.ts';

describe('the options of natsNetwork', () => {
  const login = (options: NatsOptions) => checkNatsOptions(options).login(() => () => ({}));

  it('take one URL, several, and a list with commas', async () => {
    expect((await login({ servers: 'nats://a' })).servers).to.deep.equal(['a:4222']);
    expect((await login({ servers: ['nats://a:1', 'b:2'] })).servers).to.deep.equal(['a:1', 'b:2']);
    expect((await login({ servers: 'nats://a, tls://[::1]:5/' })).servers).to.deep.equal([
      'a:4222',
      '[::1]:5',
    ]);
  });

  it('take the login from the URL, and do not show it', async () => {
    const source = checkNatsOptions({ servers: 'nats://ann:p%40ss@a' });
    expect(() => checkNatsOptions({ servers: 'nats://ann:p%zz@a' }))
      .to.throw(TypeError, 'is written %25')
      .with.property('message')
      .that.does.not.include('zz');
    expect(source.servers).to.deep.equal(['a:4222']);
    expect(await source.login(() => () => ({}))).to.deep.include({ user: 'ann', pass: 'p@ss' });
    expect(await login({ servers: 'nats://t0ken@a' })).to.deep.include({ token: 't0ken' });
    expect(await login({ servers: 'nats://ann:b@a', user: 'other' })).to.deep.include({
      user: 'other',
      pass: 'b',
    });
  });

  it('encrypt for tls://, and where TLS is given', async () => {
    expect((await login({ servers: 'tls://a' })).tls).to.deep.equal({});
    expect((await login({ servers: 'nats://a' })).tls).to.equal(undefined);
    expect((await login({ servers: 'nats://a', tls: { caFile: 'x' } })).tls).to.deep.equal({ caFile: 'x' });
  });

  it('read the file of credentials for each connection, and say which one is missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'app-net-spec-'));
    const credsFile = join(folder, 'app.creds');
    const source = checkNatsOptions({ servers: 'a', credsFile });
    const missing = await source.login(() => () => ({})).catch((error: Error) => error.message);
    expect(missing).to.include(`credsFile: ${credsFile} cannot be read`);
    await writeFile(credsFile, 'content');
    const read: string[] = [];
    await source.login((content) => (read.push(Buffer.from(content).toString()), () => ({})));
    expect(read).to.deep.equal(['content']);
    await rm(folder, { recursive: true });
  });

  it('are refused with a sentence that names the option', () => {
    const wrong: [unknown, string][] = [
      [{}, 'servers'],
      [{ servers: [] }, 'servers'],
      [{ servers: 'http://a' }, 'servers'],
      [{ servers: 'nats://a:b:c' }, 'servers'],
      [{ servers: [3] }, 'servers'],
      [{ servers: 'a', user: '' }, 'user'],
      [{ servers: 'a', authenticator: 'x' }, 'authenticator'],
      [{ servers: 'a', server: 'b' }, 'there is no option server'],
      ['nats://a', 'give options in an object'],
    ];
    for (const [options, text] of wrong)
      expect(() => checkNatsOptions(options as NatsOptions), JSON.stringify(options)).to.throw(
        TypeError,
        text,
      );
  });
});

describe('the outbox of a link', () => {
  /** It seals nothing. @returns what is published: the first byte of each message */
  function make(): { outbox: Outbox; published: number[] } {
    const published: number[] = [];
    const outbox = new Outbox(
      (message) => message,
      (sealed) => published.push(sealed[0]!),
    );
    return { outbox, published };
  }

  it('lets a window of bytes under way, and the rest as they are received, in order', () => {
    const { outbox, published } = make();
    const size = WINDOW / 4;
    for (let count = 0; count < 200; count += 1) outbox.add(Buffer.alloc(size, count));
    expect(published).to.deep.equal([0, 1, 2, 3]);
    expect(outbox.bytes).to.equal(196 * size);
    expect(outbox.received(2)).to.equal(true);
    expect(published).to.deep.equal([0, 1, 2, 3, 4, 5]);
    for (let count = 2; count <= 100; count += 1) outbox.received(2 * count);
    expect(published).to.deep.equal(Array.from({ length: 200 }, (_, count) => count));
    expect(outbox.bytes).to.equal(0);
  });

  it('sends again what was not received, and a word about the link at any time', () => {
    const { outbox, published } = make();
    for (let count = 0; count < 5; count += 1) outbox.add(Buffer.alloc(WINDOW / 4, count));
    outbox.tell(Buffer.of(9));
    outbox.received(3);
    published.splice(0);
    outbox.again();
    expect(published).to.deep.equal([3, 9, 4]);
    // Told later than the one before, and sent earlier.
    expect(outbox.received(2)).to.equal(true);
    outbox.received(6);
    published.splice(0);
    outbox.again();
    expect(published).to.deep.equal([]);
  });

  it('refuses to believe that more was received than was sent', () => {
    const { outbox } = make();
    outbox.add(Buffer.alloc(10));
    expect(outbox.received(2)).to.equal(false);
  });
});

describe('the pieces of a message', () => {
  it('are put together to the same message, whatever their size', () => {
    for (const message of ['', 'x', 'drei ✓ 𝄞'.repeat(100), Buffer.alloc(0), Buffer.alloc(1_000, 'abc')]) {
      for (const largest of [2, 7, 64, 10_000]) {
        const pieces = new Pieces();
        const whole = piecesOf(message, largest).map((piece) => pieces.add(piece, 1e6));
        expect(whole.pop()).to.deep.equal(message);
        expect(whole.every((each) => each === undefined)).to.equal(true);
      }
    }
  });

  it('are refused when they are too large together, or of two messages', () => {
    const [first, second] = piecesOf('x'.repeat(20), 11);
    const small = new Pieces();
    small.add(first!, 15);
    expect(() => small.add(second!, 15)).to.throw(BadItem, 'too large');
    const mixed = new Pieces();
    mixed.add(first!, 100);
    expect(() => mixed.add(piecesOf(Buffer.of(1), 100)[0]!, 100)).to.throw(BadItem, 'within another');
  });
});

describe('an address at NATS', () => {
  it('is a life, and no host', () => {
    const life = { id: 'a_b-c', incarnation: 'x' };
    expect(lifeAt(natsAddress(life))).to.deep.equal(life);
    expect(addressText(natsAddress(life))).to.equal('nats:a_b-c.x');
    expect(isLoopback(natsAddress(life).host)).to.equal(false);
    for (const host of ['a.b', 'nats:a', 'nats:a.b.c', 'nats:a.>', '127.0.0.1'])
      expect(lifeAt({ host, port: 1 })).to.equal(undefined);
  });
});
