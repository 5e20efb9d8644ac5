import { connect as connectTcp, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { expect } from 'chai';

import type { Peer } from '../../src/index.ts';
import type { Attacker, Line } from '../support/attacker.ts';
import { edit } from '../support/edit.ts';
import { eventually } from '../support/eventually.ts';
import { meet, portOf } from '../support/peers.ts';
import {
  failuresOf,
  helloOf,
  MARK,
  REQUEST,
  someone,
  typeOf,
  UnderAttack,
  UNUSUAL,
} from '../support/under-attack.ts';
import { withoutMulticast } from '../support/without-multicast.ts';

describe('an attacker between two peers on the network', function () {
  this.timeout(120_000);
  const attack = new UnderAttack();
  const { own, secret, stage, frames, parsed, start, nothingGotIn, listening } = attack;
  let attacker: Attacker;
  let victim: Peer;
  let port: number;
  attack.setHooks((begun) => ({ attacker, victim, port } = begun));

  it('an honest peer can be called, and the checks of the attacks below see its frames', async () => {
    const honest = await start('honest', [`${own}:${port}`]);
    const [toVictim] = await meet(honest, victim.id);
    expect(await toVictim!.call('function of the victim', [MARK])).to.equal(1);
    expect(frames).to.have.length.above(0);
    expect(parsed).to.have.length.above(0);
  });

  it('a relay that passes on what it cannot read does no harm and is no obstacle', async () => {
    const relay = createServer((near) => {
      const far = connectTcp(port, own);
      near.on('error', () => far.destroy()).pipe(far);
      far.on('error', () => near.destroy()).pipe(near);
    });
    await listening(relay);
    const honest = await start('honest', [`${own}:${(relay.address() as AddressInfo).port}`]);
    const [toVictim] = await meet(honest, victim.id);
    expect(await toVictim!.call('function of the victim')).to.equal(1);
    await Promise.all([honest.stop(), victim.stop()]);
    relay.close();
  });

  it('a relay that ends the encryption and begins its own is refused', async () => {
    const { port: trap, relayed, ends } = await attacker.relay(port);
    const honest = await start('honest', [`${own}:${trap}`]);
    await eventually(() => expect(ends).to.include(4401));
    // It got everything through that it could: two introductions and a proof, which is no proof there.
    expect(relayed.slice(0, 3).map(typeOf)).to.deep.equal(['hello', 'welcome', 'proof']);
    expect(relayed.map(typeOf)).not.to.include.members(['accept']);
    nothingGotIn(honest);
  });

  it('a relay that adds its own frames to the handshake is refused, and they are not parsed', async () => {
    const trap = await attacker.serve((near) => {
      near.hold();
      void attacker.dial(port).then((far) => {
        near.onMessage((text) => far.say(text, REQUEST, UNUSUAL));
        far.onMessage((text) => near.say(text, REQUEST, UNUSUAL));
      });
    });
    const honest = await start('honest', [`${own}:${trap}`]);
    await eventually(() => expect(failuresOf(honest)).to.be.above(0));
    nothingGotIn(honest);
  });

  it('a relay that removes the newest version, or adds another, is refused', async () => {
    for (const versions of [[], [0], [1, 0], [2, 1]]) {
      const change = (text: string): string =>
        typeOf(text) === 'hello' || typeOf(text) === 'welcome' ? edit(text, { versions }) : text;
      const { port: trap, ends } = await attacker.relay(port, change);
      const honest = await start('honest', [`${own}:${trap}`]);
      await eventually(() => expect(ends, JSON.stringify(versions)).to.include(4401));
      nothingGotIn(honest);
      await honest.stop();
    }
  });

  it('a peer does not accept its own messages, whichever way they come back', async () => {
    // A mirror at the other end of a dial.
    const mirror = await attacker.serve((line) => line.onMessage((text) => line.say(text, REQUEST)));
    const toMirror = await start('to the mirror', [`${own}:${mirror}`]);
    await eventually(() => expect(failuresOf(toMirror)).to.be.above(0));
    // Its own introduction, to its own door.
    let back: Line | undefined;
    const trap = await attacker.serve((near) => {
      near.hold();
      void attacker.dial(portOf(reflected)).then((far) => {
        back = far;
        near.onMessage((text) => far.say(text, REQUEST));
        far.onMessage((text) => near.say(text, REQUEST));
      });
    });
    const reflected = stage.make({
      ...{ name: 'reflected', lan: true, secret, network: withoutMulticast(await stage.folder()) },
      seeds: [`${own}:${trap}`],
    });
    await reflected.start();
    await eventually(() => expect(back?.heard).to.be.an('array'));
    expect(await back!.closed).to.equal(4401);
    // Two connections to one peer, each saying what the other hears.
    const [first, second] = [await attacker.dial(port), await attacker.dial(port)];
    first.onMessage((text) => second.say(text, REQUEST));
    second.onMessage((text) => first.say(text, REQUEST));
    first.say(helloOf('mirror'));
    expect(await Promise.race([first.closed, second.closed])).to.equal(4401);
    nothingGotIn(toMirror, reflected);
  });

  it('two peers that dial the same attacker are not connected with each other', async () => {
    const lines: Line[] = [];
    const trap = await attacker.serve((line) => {
      line.hold();
      lines.push(line);
    });
    const peers = await Promise.all(['one', 'two'].map((name) => start(name, [`${own}:${trap}`])));
    await eventually(() => expect(lines.filter(({ heard }) => heard.length > 0)).to.have.length.above(1));
    const [one, two] = lines as [Line, Line];
    // Each hello becomes the welcome for the other, each proof the acceptance.
    const turned = (text: string): string =>
      typeOf(text) === 'hello'
        ? edit(text, { type: 'welcome', version: 1 })
        : edit(text, { type: 'accept', ...someone.describe() });
    one.onMessage((text) => two.say(turned(text), REQUEST, UNUSUAL));
    two.onMessage((text) => one.say(turned(text), REQUEST, UNUSUAL));
    await Promise.all([one.closed, two.closed]);
    nothingGotIn(...peers);
  });

  it('two peers that the same attacker dials are not connected with each other', async () => {
    const other = await start('other');
    const [one, two] = [await attacker.dial(port), await attacker.dial(portOf(other))];
    one.onMessage((text) => two.say(edit(text, { type: 'hello', to: '' }), REQUEST));
    two.onMessage((text) => one.say(edit(text, { type: 'proof', proof: 'A'.repeat(43) }), REQUEST));
    one.say(helloOf('splice'));
    expect([await one.closed, await two.closed]).to.deep.equal([4401, 4401]);
    nothingGotIn(other);
  });
});
