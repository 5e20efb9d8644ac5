import { expect } from 'chai';

import { Rights } from '../../src/wire/handshake/pass.ts';
import { seeded } from '../support/random.ts';

describe('the patterns of a pass', () => {
  const may = (...patterns: string[]) => {
    const rights = new Rights({
      v: 1,
      kid: '',
      id: '',
      exp: 1,
      may: patterns,
      hear: patterns,
      offers: patterns,
    });
    return (tag: string): boolean => rights.mayCall(tag) && rights.mayConnect(tag);
  };

  it('stand for exactly themselves but for the stars', () => {
    expect(may('a.b')('a.b')).to.equal(true);
    for (const other of ['a.c', 'a.b.c', 'x.a.b', 'axb', ''])
      expect(may('a.b')(other), other).to.equal(false);
    for (const tag of ['chat.', 'chat.say', 'chat.a.b']) expect(may('chat.*')(tag), tag).to.equal(true);
    for (const tag of ['chat', 'xchat.say', 'Chat.say']) expect(may('chat.*')(tag), tag).to.equal(false);
    expect(may('*.read')('a.read')).to.equal(true);
    expect(may('*.read')('a.reads')).to.equal(false);
    expect(may('a*b*c')('abc')).to.equal(true);
    expect(may('a*b*c')('a-b-b-c')).to.equal(true);
    for (const tag of ['ac', 'acb', 'ab', 'bc']) expect(may('a*b*c')(tag), tag).to.equal(false);
    expect(may('aa*a')('aa')).to.equal(false);
    expect(may('ab*bc')('abc')).to.equal(false);
    expect(may()('a')).to.equal(false);
  });

  it('mean what a regular expression would', () => {
    const random = seeded(11);
    const below = (most: number) => Math.floor(random() * most);
    const text = (letters: string, most: number) =>
      Array.from({ length: below(most + 1) }, () => letters[below(letters.length)]).join('');
    for (let round = 0; round < 3_000; round += 1) {
      const pattern = text('ab*', 6);
      const name = text('ab', 7);
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name);
      expect(may(pattern)(name), `${pattern} ${name}`).to.equal(expected);
    }
  });

  it('mean the functions of the library only if they begin like them', () => {
    for (const pattern of ['*', 'n*', 'net*', '*.info'])
      expect(may(pattern)('net.info'), pattern).to.equal(false);
    for (const pattern of ['net.*', 'net.info', 'net.i*'])
      expect(may(pattern)('net.info'), pattern).to.equal(true);
    expect(may('*')('network.info')).to.equal(true);
  });
});
