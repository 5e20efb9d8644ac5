import { expect } from 'chai';
import type { AnyActorRef } from 'xstate';

import type { Link, PeerRecord } from '../../src/connection/link/link.ts';
import type { Peer } from '../../src/index.ts';
import { MemoryNetwork } from '../../src/testing.ts';
import { eventually } from '../support/eventually.ts';
import { Stage, failure, meet } from '../support/peers.ts';

/** A getter of this name that throws: what nobody foresaw, wherever it is looked at. */
function poison(name: string): object {
  const get = (): never => {
    throw new Error('unforeseen');
  };
  return Object.defineProperty({}, name, { get, enumerable: true });
}

/** `message` with a field that throws. */
function poisoned(message: object, field: string): never {
  return Object.defineProperties(message, Object.getOwnPropertyDescriptors(poison(field))) as never;
}

describe('an unexpected error', () => {
  const stage = new Stage();
  let network: MemoryNetwork;
  let a: Peer;
  let b: Peer;
  let bystander: Peer;
  let errors: string[];
  let left: string[];

  beforeEach(async () => {
    network = new MemoryNetwork();
    errors = [];
    left = [];
    const nothing = (): void => {};
    const logger = {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (line: string) => errors.push(line),
    };
    a = stage.make({ network, id: 'a', logger });
    b = stage.make({ network, id: 'b' });
    bystander = stage.make({ network, id: 'bystander' });
    for (const peer of [a, b, bystander]) peer.connect('who', () => peer.id);
    await Promise.all([a.start(), b.start(), bystander.start()]);
    await meet(a, 'b', 'bystander');
    await meet(b, 'a');
    await meet(bystander, 'a');
    a.peers.on('leave', (peer) => left.push(peer.id));
    bystander.peers.on('leave', (peer) => left.push(`${peer.id} of bystander`));
  });

  afterEach(() => stage.clear());

  const actor = (name: string): AnyActorRef => a.actor.system.get(name) as AnyActorRef;

  function linkTo(id: string): Link {
    const { record } = actor(`connection:${id}`).getSnapshot().context as { record: PeerRecord };
    return record.link!;
  }

  /** Undefined while there is none. */
  const linkOf = (id: string): Link | undefined =>
    (actor(`connection:${id}`)?.getSnapshot().context as { record?: PeerRecord } | undefined)?.record?.link;

  /** Everybody calls everybody. */
  async function works(): Promise<void> {
    await meet(a, 'b', 'bystander');
    await meet(b, 'a');
    expect(await b.remote('who').on('a')()).to.equal('a');
    expect(await a.remote('who').on('b')()).to.equal('b');
    expect(await bystander.remote('who').on('a')()).to.equal('a');
    expect(a.actor.getSnapshot().value).to.equal('online');
  }

  const ABOUT_LINKS: [actor: string, type: string, field: string][] = [
    ['dispatcher', 'frames.received', 'frames'],
    ['caller', 'frames.received', 'frames'],
    ['events', 'frames.received', 'frames'],
    ['caller', 'link.refused', 'last'],
    ['connection:b', 'frame.received', 'frame'],
  ];
  for (const [name, type, field] of ABOUT_LINKS) {
    it(`in the ${name.split(':')[0]}, with ${type}, ends only its connection, which comes back`, async () => {
      const link = linkTo('b');
      actor(name).send(poisoned({ type, link }, field));
      await eventually(() => linkOf('b') !== undefined && linkOf('b') !== link);
      await works();
      expect(left).to.deep.equal([]);
      expect(errors).to.have.length(1);
      expect(errors[0]).to.match(
        /This is a bug of app-net; please report it: Error: [^]*unforeseen[^]*\n\s+at /,
      );
    });
  }

  it('in the liveness actor ends only its connection, which comes back', async () => {
    const link = linkTo('b');
    const { received } = link.socket;
    const get = (): never => {
      Object.defineProperty(link.socket, 'received', { value: received, writable: true });
      throw new Error('unforeseen');
    };
    Object.defineProperty(link.socket, 'received', { get, configurable: true });
    actor('liveness').send({ type: 'link.opened', link });
    await eventually(() => linkOf('b') !== undefined && linkOf('b') !== link);
    await works();
    expect(left).to.deep.equal([]);
    expect(errors).to.have.length(1);
  });

  it('during a write ends only its connection, and the other connections of the tick are written', async () => {
    linkTo('b').socket.send = () => {
      throw new Error('unforeseen');
    };
    // The second call of a tick waits for its end.
    const calls = ['b', 'b', 'bystander', 'bystander'].map((id) => a.remote('who').on(id)());
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).to.deep.equal([
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    await works();
    expect(errors).to.have.length(1);
  });

  it('with a message just read ends only its connection', async () => {
    const { owner } = linkTo('b');
    (owner as unknown as { frame: () => void }).frame = () => {
      throw new Error('unforeseen');
    };
    const call = failure(b.remote('who').on('a', { deadline: 5_000 })());
    expect(await call).to.have.property('code', 'CONNECTION_LOST');
    await works();
    expect(errors).to.have.length(1);
  });

  it('with one call fails only that call, with the error as its cause', async () => {
    const { record } = linkTo('b');
    const link = record.link;
    Object.defineProperty(record, 'link', { get: poisonedLink, configurable: true });
    const failed = await failure(a.remote('who').on('b')());
    Object.defineProperty(record, 'link', { value: link, writable: true, configurable: true });
    expect(failed).to.include({ code: 'NOT_SENT', ran: 'no', retriable: false });
    expect((failed as Error).cause).to.have.property('message', 'unforeseen');
    await works();
    expect(left).to.deep.equal([]);
    expect(errors).to.have.length(1);
  });

  it('with one hint or one new connection changes nothing else', async () => {
    actor('discovery').send(poisoned({ type: 'provider.found', provider: 'memory' }, 'hints'));
    let cut = false;
    const socket = { terminate: () => (cut = true) };
    a.actor.send({ type: 'session.arrived', session: poisoned({ socket }, 'party') });
    expect(cut).to.equal(true);
    const late = await stage.make({ network, id: 'late' }).start();
    await meet(late, 'a');
    await works();
    expect(left).to.deep.equal([]);
    expect(errors).to.have.length(2);
  });

  it('in the inspector is logged once, and the inspector is not called again', async () => {
    let asked = 0;
    const watched = stage.make({
      network,
      id: 'watched',
      inspect: () => {
        asked += 1;
        throw new Error('of the user');
      },
    });
    await watched.start();
    await meet(watched, 'a');
    expect(await watched.remote('who').on('a')()).to.equal('a');
    expect(asked).to.equal(1);
  });
});

function poisonedLink(): never {
  throw new Error('unforeseen');
}
