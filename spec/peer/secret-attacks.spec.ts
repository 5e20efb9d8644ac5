import { expect } from 'chai';

import { systemClock } from '../../src/base/time/clock.ts';
import { dialHandshake } from '../../src/connection/dial/handshaking.ts';
import type { Peer } from '../../src/index.ts';
import { webSocketTransport } from '../../src/transport/websocket.ts';
import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';
import type { Attacker } from '../support/attacker.ts';
import { edit } from '../support/edit.ts';
import { eventually } from '../support/eventually.ts';
import {
  failuresOf,
  helloOf,
  REQUEST,
  someone,
  typeOf,
  UnderAttack,
  UNUSUAL,
} from '../support/under-attack.ts';

describe('an attacker on the network without the secret', function () {
  this.timeout(120_000);
  const attack = new UnderAttack();
  const { own, secret, frames, start, nothingGotIn } = attack;
  let attacker: Attacker;
  let victim: Peer;
  let port: number;
  attack.setHooks((begun) => ({ attacker, victim, port } = begun));

  it('a handshake that was recorded in the clear is refused when it is played again', async () => {
    // Nobody hears it in the clear; this one is told by the honest dialler itself.
    const heard: string[] = [];
    const socket = await webSocketTransport().dial({ host: own, port }, { largestMessage: 65_536 });
    const send = socket.send.bind(socket);
    socket.send = (text: string) => (heard.push(text), send(text));
    const keys = await deriveKeys(secret);
    await new Promise<void>((resolve, reject) => {
      const dependencies = { self: someone, keys, clock: systemClock };
      dialHandshake(socket, victim.id, dependencies, { done: () => resolve(), failed: reject });
    });
    socket.terminate();
    await eventually(() => expect([...victim.peers.of({ group: '*' })]).to.deep.equal([]));
    expect(heard.map(typeOf)).to.deep.equal(['hello', 'proof', 'describe']);
    frames.length = 0;
    const line = await attacker.dial(port);
    line.say(...heard, REQUEST, UNUSUAL);
    expect(await line.closed).to.equal(4401);
    expect(line.heard.map(typeOf)).to.deep.equal(['welcome']);
    nothingGotIn();
  });

  it('a peer with another secret learns that a peer exists, and nothing else', async () => {
    const stranger = await start('stranger', [`${own}:${port}`], makeSecret());
    await eventually(() => expect(failuresOf(stranger)).to.be.above(0));
    const line = await attacker.dial(port);
    line.say(helloOf('curious'));
    await eventually(() => expect(line.heard).to.have.length(1));
    line.say(`{"type":"proof","proof":"${'A'.repeat(43)}"}`, REQUEST);
    expect(await line.closed).to.equal(4401);
    expect(line.heard).to.have.length(1);
    for (const word of ['victim', 'g-secret', 'function', 'host', String(process.pid)]) {
      expect(line.heard[0]).not.to.include(word);
    }
    nothingGotIn(stranger);
  });

  it('a peer with another secret that is dialled learns that somebody dials, and nothing else', async () => {
    const heard: string[] = [];
    const trap = await attacker.serve((line) =>
      line.onMessage((text) => {
        heard.push(text);
        if (typeOf(text) === 'hello') line.say(edit(helloOf('trap'), { type: 'welcome', version: 1 }));
        else
          line.say(JSON.stringify({ type: 'accept', proof: 'A'.repeat(43), ...someone.describe() }), REQUEST);
      }),
    );
    const honest = await start('honest', [`${own}:${trap}`]);
    await eventually(() => expect(failuresOf(honest)).to.be.above(0));
    expect(heard.slice(0, 2).map(typeOf)).to.deep.equal(['hello', 'proof']);
    for (const word of ['honest', 'g-secret', 'function', 'host', String(process.pid)]) {
      expect(heard.slice(0, 2).join()).not.to.include(word);
    }
    nothingGotIn(honest);
  });
});
