import { Socket } from 'node:net';

import { expect } from 'chai';

import { MOST_STRANGERS, Strangers } from '../../src/transport/strangers.ts';

const turns = async (): Promise<void> => {
  for (let count = 0; count < 3; count += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('strangers at the door', () => {
  let strangers: Strangers;
  const all: Socket[] = [];

  beforeEach(() => {
    strangers = new Strangers();
  });

  afterEach(() => {
    for (const socket of all.splice(0)) socket.destroy();
  });

  function come(count: number, remoteAddress = '127.0.0.1'): Socket[] {
    const sockets = Array.from({ length: count }, () =>
      Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress }),
    );
    all.push(...sockets);
    for (const socket of sockets) strangers.enter(socket);
    return sockets;
  }

  const closed = (sockets: Socket[]): boolean[] => sockets.map(({ destroyed }) => destroyed);

  it('are closed, the oldest first, when there are too many', async () => {
    const early = come(3);
    const late = come(MOST_STRANGERS - 1);
    await turns();
    expect(closed(early)).to.deep.equal([true, true, false]);
    expect(closed(late)).not.to.include(true);
  });

  it('are not closed before their first data could be read', async () => {
    const burst = come(MOST_STRANGERS * 10);
    expect(closed(burst)).not.to.include(true);
    // The first of all has asked for a WebSocket by the time the strangers are counted.
    strangers.talks(burst[0]!);
    await turns();
    expect(closed(burst).filter((each) => !each)).to.have.length(MOST_STRANGERS + 1);
    expect(burst[0]!.destroyed).to.equal(false);
  });

  it('with idle connections do not push out strangers in a handshake, nor the other way round', async () => {
    const talking = come(MOST_STRANGERS);
    for (const socket of talking) strangers.talks(socket);
    const silent = come(MOST_STRANGERS);
    await turns();
    expect(closed([...talking, ...silent])).not.to.include(true);
    const more = come(MOST_STRANGERS);
    await turns();
    expect(closed(talking)).not.to.include(true);
    expect(closed(silent)).not.to.include(false);
    for (const socket of more) strangers.talks(socket);
    await turns();
    expect(closed(talking)).not.to.include(false);
    expect(closed(more)).not.to.include(true);
  });

  it('of the source with the most connections are closed first', async () => {
    const honest = come(3, '10.0.0.5');
    const flood = come(MOST_STRANGERS * 4, '10.0.0.66');
    await turns();
    expect(closed(honest)).to.deep.equal([false, false, false]);
    expect(closed(flood).filter((each) => !each)).to.have.length(MOST_STRANGERS - 3);
    const spread = Array.from({ length: 200 }, (_, index) => come(1, `fd00::${index + 1}`)[0]!);
    await turns();
    expect(closed(honest), 'one network of IPv6 is one source').to.deep.equal([false, false, false]);
    expect(closed(spread).filter((each) => !each).length).to.be.lessThan(MOST_STRANGERS);
  });

  it('do not count any more once they have proved themselves', async () => {
    const friends = come(MOST_STRANGERS);
    for (const socket of friends) strangers.leave(socket);
    const others = come(MOST_STRANGERS);
    await turns();
    expect(closed([...friends, ...others])).not.to.include(true);
  });

  it('are all closed at the end', () => {
    const sockets = come(4);
    strangers.talks(sockets[0]!);
    strangers.clear();
    expect(closed(sockets)).not.to.include(false);
  });
});
