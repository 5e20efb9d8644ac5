import { expect } from 'chai';

import { byId } from '../../src/functions/by-id.ts';
import { NetError } from '../../src/index.ts';
import { failure } from '../support/peers.ts';
import { FakePool, settle } from '../support/pool.ts';

describe('a call to a peer by its id', () => {
  let pool: FakePool;

  beforeEach(() => {
    pool = new FakePool();
    pool.source.searched = false;
  });

  it('goes out at once when a local peer sees that peer, from that local peer', async () => {
    const other = new FakePool();
    other.join('b', (args, { deadline }) => [...args, deadline]);
    expect(await byId('b', [pool, other]).call('work', [1], { deadline: 5 })).to.deep.equal([1, 5]);
    expect(other.called).to.deep.equal(['b']);
  });

  it('waits for the peer during the first search, and then has the rest of its time', async () => {
    const pending = byId('b', [pool]).call('work', [1], { deadline: 500 });
    await pool.pass(100);
    pool.join('someone else', () => 0);
    await pool.pass(100);
    pool.join('b', (args, { deadline }) => [...args, deadline]);
    expect(await pending).to.deep.equal([1, 300]);
  });

  it('fails at its deadline, during the first search and after it', async () => {
    const pending = failure(byId('b', [pool]).call('work', [], { deadline: 100 }));
    await pool.pass(100);
    expect(await pending).to.include({ code: 'DEADLINE_EXCEEDED', ran: 'no', peer: 'b', tag: 'work' });
  });

  it('is NOT_SENT when the search is over and found no such peer', async () => {
    const pending = failure(byId('b', [pool]).call('work'));
    pool.source.searched = true;
    pool.join('someone else', () => 0);
    expect(await pending).to.include({ code: 'NOT_SENT', ran: 'no', peer: 'b' });
  });

  it('ends with its signal and with the local peer', async () => {
    const controller = new AbortController();
    const first = failure(byId('b', [pool]).call('work', [], { signal: controller.signal }));
    const second = failure(byId('b', [pool]).call('work'));
    await settle();
    controller.abort('enough');
    expect(await first).to.equal('enough');
    pool.source.end(new NetError('STOPPED', 'over'));
    expect(await second).to.include({ code: 'STOPPED' });
    expect(await failure(byId('b', [pool]).call('work'))).to.include({ code: 'STOPPED' });
    expect(pool.timers()).to.equal(0);
  });

  it('refuses invalid options', async () => {
    expect(await failure(byId('b', [pool]).call('work', [], { deadline: -1 }))).to.be.instanceOf(TypeError);
  });
});
