import { expect } from 'chai';

import { readWord, writeWord } from '../../src/providers/nats/hello.ts';
import type { Hello, Word } from '../../src/providers/nats/hello.ts';
import { Lives } from '../../src/providers/nats/lives.ts';

const hello = (id: string, version = 1, incarnation = `${id}-1`): Hello => ({
  ...{ type: 'hello', id, incarnation, version, server: 'NA', client: Number(id.replace(/\D/g, '')) || 1 },
});

describe('the lives that are announced at NATS', () => {
  it('take an announcement once, also after the life is over', () => {
    const lives = new Lives();
    expect(lives.note(hello('a', 2))).to.equal(true);
    expect(lives.note(hello('a', 2))).to.equal(false);
    expect(lives.note(hello('a', 1))).to.equal(false);
    lives.forget(hello('a'));
    expect(lives.note(hello('a', 2))).to.equal(false);
    expect(lives.has(hello('a'))).to.equal(false);
    expect(lives.note(hello('a', 3))).to.equal(true);
    expect(lives.has(hello('a'))).to.equal(true);
  });

  it('keep another life of a peer when one of them is over', () => {
    const lives = new Lives();
    lives.note(hello('a', 1, 'old'));
    lives.note(hello('a', 1, 'new'));
    lives.forget({ id: 'a', incarnation: 'old' });
    expect(lives.other({ id: 'a', incarnation: 'old' })?.incarnation).to.equal('new');
  });

  it('are each among the next three of three others on the ring', () => {
    const all = Array.from({ length: 50 }, (_, index) => hello(`peer${index}`));
    const watchedBy = new Map<string, number>();
    for (const self of all) {
      const lives = new Lives();
      for (const other of all) if (other !== self) lives.note(other);
      for (const { id } of lives.after(self, 3)) watchedBy.set(id, (watchedBy.get(id) ?? 0) + 1);
    }
    expect([...watchedBy.values()]).to.deep.equal(Array.from({ length: 50 }, () => 3));
    const few = new Lives();
    few.note(hello('b'));
    expect(few.after(hello('a'), 3).map(({ id }) => id)).to.deep.equal(['b']);
    expect(new Lives().after(hello('a'), 3)).to.deep.equal([]);
  });

  it('are found by their connection to a server', () => {
    const lives = new Lives();
    lives.note(hello('peer7'));
    expect(lives.connectedAs('NA', 7)?.id).to.equal('peer7');
    expect(lives.connectedAs('NB', 7)).to.equal(undefined);
  });
});

describe('what peers tell each other at NATS', () => {
  it('is read as it was written', () => {
    const words: Word[] = [
      hello('a'),
      { type: 'who', reply: 'net.abc.reply.x.1' },
      { type: 'bye', id: 'a', incarnation: 'b' },
      { type: 'doubt', id: 'a', incarnation: 'b' },
    ];
    for (const word of words) expect(readWord(writeWord(word))).to.deep.equal(word);
  });

  it('is ignored in any other shape', () => {
    const wrong = [
      ...['', '{', 'null', '[]', '1', '{"type":"new","id":"a","incarnation":"b"}'],
      ...['{"type":"who","reply":"net.>"}', '{"type":"who","reply":"other.x"}', '{"type":"who"}'],
      ...[
        '{"type":"bye","id":"a b","incarnation":"b"}',
        '{"type":"bye","id":"a"}',
        '{"type":"doubt","id":"a.>","incarnation":"b"}',
      ],
      '{"type":"hello","id":"a","incarnation":"b","version":-1,"server":"","client":1}',
      '{"type":"hello","id":"a","incarnation":"b","version":1,"server":1,"client":1}',
    ];
    for (const text of wrong) expect(readWord(Buffer.from(text)), text).to.equal(undefined);
  });
});
