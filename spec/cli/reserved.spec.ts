import { expect } from 'chai';

import { NetError } from '../../src/index.ts';
import { run } from '../support/command.ts';
import { Stage } from '../support/peers.ts';

/** Peers that answer, and do not tell what a peer of this library tells: clients in other languages, and those with a hook. */
describe('app-net, and a peer that does not tell about itself', function () {
  this.timeout(120_000);
  const stage = new Stage();

  afterEach(() => stage.clear());

  for (const [why, error] of [
    ['has none of the functions of every peer', new NetError('NO_SUCH_TAG', 'there is no such function')],
    ['hides what it tells', new Error('this peer does not tell')],
  ] as const) {
    it(`takes the answer of a peer that ${why} as a sign of life`, async () => {
      const env = { APP_NET_RUNTIME_DIR: await stage.folder() };
      const peer = stage.make({ runtimeDir: env.APP_NET_RUNTIME_DIR, name: 'quiet' });
      peer.use((call, next) => {
        if (call.direction === 'incoming' && call.tag.startsWith('net.')) throw error;
        return next();
      });
      await peer.start();

      const doctor = await run(['doctor', '--json'], env);
      expect(doctor.code, doctor.out).to.equal(0);
      const notes = doctor.lines as { status: string; check: string; says: string }[];
      const note = notes.find(({ check }) => check === 'reserved peer');
      expect(note?.status).to.equal('note');
      expect(note?.says).to.include(`answers, and does not tell about itself: ${error.message}`);

      const info = await run(['info', 'quiet', '--json'], env);
      expect(info.code, info.errors).to.equal(0);
      expect(info.lines[0]).to.include({ name: 'quiet', pid: process.pid, uptime: null });
      expect(info.errors).to.equal(`quiet does not tell about itself: ${error.message}\n`);

      const ping = await run(['ping', 'quiet', '--count', '2', '--interval', '1', '--json'], env);
      expect(ping.code, ping.out).to.equal(0);
      expect(ping.lines.at(-1)).to.include({ sent: 2, answered: 2 });

      const [row] = (await run(['peers', '--json'], env)).lines as { roundTrip: number | null }[];
      expect(row?.roundTrip).to.be.a('number');
    });
  }
});
