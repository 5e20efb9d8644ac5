import { expect } from 'chai';

import { Lan, needLan } from '../support/lan.ts';
import { MODULES } from '../support/processes.ts';

describe('a dial to a port without a listener', function () {
  this.timeout(120_000);
  let lan: Lan;

  before(async function () {
    await needLan(this);
    lan = await Lan.open();
  });
  after(async () => lan?.close());

  it('is refused, even when the system chooses that very port for the near end', async () => {
    const host = await lan.host('a');
    // So few ports that the near end soon has the one that is dialled.
    await host.exec('sysctl', '-q', '-w', 'net.ipv4.ip_local_port_range=40000 40003');
    const script = `
      import { webSocketTransport } from '${MODULES}transport/websocket.js';
      const dials = new Set();
      for (let count = 0; count < 100; count += 1) {
        const dial = webSocketTransport().dial({ host: '127.0.0.1', port: 40000 }, { largestMessage: 65536 });
        const error = await dial.catch((reason) => reason);
        dials.add(error.constructor.name + (error.refused ? ', refused' : '') + ': ' + error.message);
      }
      console.log(JSON.stringify([...dials]));
    `;
    const dials = await (await host.start(script)).line<string[]>(() => true);
    for (const dial of dials) expect(dial).to.match(/^DialFailed, refused: /);
    expect(dials).to.contain('DialFailed, refused: 127.0.0.1:40000: nobody listens there');
  });
});
