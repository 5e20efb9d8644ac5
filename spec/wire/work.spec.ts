import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { expect } from 'chai';

import { EncodedEvent, EventQueue } from '../../src/events/event-queue.ts';
import { decodeMessage, encodeResult } from '../../src/wire/codec.ts';
import type { Frame, UnreadableFrame } from '../../src/wire/frames.ts';
import { NotSerializable } from '../../src/wire/values/not-serializable.ts';
import { isUrlText, patternCost } from '../../src/wire/work.ts';

/** The work on a frame is in proportion to its bytes, or it is not begun. */

/**
 * Ms of this process, so that what else the machine does is not counted. What its garbage collector does for others is: so it is the
 * least of up to five times, until one is below the limit.
 */
function busy(limit: number, work: () => void): number {
  let least = Infinity;
  for (let time = 0; time < 5 && least >= limit; time += 1) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

function decode(text: string): (Frame | UnreadableFrame)[] {
  const frames: (Frame | UnreadableFrame)[] = [];
  decodeMessage(text, { frame: (frame) => frames.push(frame) });
  return frames;
}

const annotated = (kind: string, json: unknown): string =>
  JSON.stringify({ type: 'result', id: 1, value: json, meta: { values: { value: [kind] }, v: 1 } });

describe('the work for the data of a peer', () => {
  it('is in proportion to the bytes of a message with many requests, whatever fields each leaves out', () => {
    const many = (line: (id: number) => string): string =>
      Array.from({ length: 40_000 }, (_, id) => line(id + 1)).join('\n');
    for (const line of [
      (id: number) => `{"type":"request","id":${id},"tag":"a","args":[]}`,
      (id: number) => `{"type":"request","id":${id},"tag":"a","args":[],"deadline":5}`,
      (id: number) => `{"type":"request","id":${id},"tag":"${'a'.repeat(1_024)}","args":[]}`,
      (id: number) => `{"type":"event","name":"a","sequence":${id}}`,
      (id: number) => `{"type":"result","id":${id},"value":"${'1'.repeat(20)}"}`,
    ]) {
      const text = many(line);
      // Some 100 ms; a look back through the frames before each one took 20 s.
      expect(
        busy(3_000, () => expect(decode(text)).to.have.length(40_000)),
        line(1),
      ).to.be.below(3_000);
    }
  }).timeout(120_000);

  const costly: [what: string, kind: string, json: string][] = [
    [
      'regular expression of sets of strings',
      'regexp',
      `/${'[\\p{RGI_Emoji}&&\\p{RGI_Emoji}]'.repeat(500)}/v`,
    ],
    ['regular expression of one set of strings', 'regexp', '/\\p{RGI_Emoji}/v'],
    ['regular expression of properties in either case', 'regexp', '/\\p{L}/vi'],
    ['regular expression of many properties', 'regexp', `/${'\\p{Lu}'.repeat(33)}/ui`],
    ['regular expression too long', 'regexp', `/${'a'.repeat(16_385)}/`],
    ['URL with a host to bring into normal form', 'URL', `http://a${'\u0300\u0323'.repeat(300_000)}`],
    ['URL with a long host', 'URL', `https:///\\\\xn--${'a'.repeat(3_000)}`],
    ['bigint of a million digits', 'bigint', '9'.repeat(1_000_000)],
    ['date of a million characters', 'Date', '2'.repeat(1_000_000)],
  ];
  for (const [what, kind, json] of costly) {
    it(`is not started for a ${what}`, () => {
      const text = annotated(kind, json);
      const took = busy(150, () => expect(decode(text)[0]).to.include({ type: 'unreadable' }));
      expect(took).to.be.below(150);
    });
  }

  const fine = [
    /\p{L}+/u,
    new RegExp('[\\p{Lu}--\\p{ASCII}]', 'v'),
    new RegExp(`^(?:${'a|'.repeat(8_000)}b)$`),
  ];
  const urls = [`data:text/plain,${'a'.repeat(100_000)}`, `data:;base64,${'a'.repeat(100_000)}`];
  urls.push(
    `http://host/${'ä'.repeat(1_000)}`,
    `https://user:pass@host:8080/?${'q'.repeat(1_000_000)}`,
    'x:',
  );

  it('is done for usual data, and both sides agree on that', () => {
    for (const value of [...fine, ...urls.map((url) => new URL(url))]) {
      const [frame] = decode(encodeResult(1, value) as string) as unknown as [{ value: RegExp | URL }];
      expect(String(frame.value)).to.equal(String(value));
    }
  });

  it('is refused by the sender where the receiver would refuse it', () => {
    const host = `${'a.'.repeat(1_100)}b`;
    const refused = [
      new RegExp('\\p{L}'.repeat(33), 'u'),
      new RegExp('\\p{L}', 'vi'),
      new URL(`http://${host}`),
    ];
    for (const value of refused) expect(() => encodeResult(1, value)).to.throw(NotSerializable);
    // Together they are more than a frame may have.
    expect(() =>
      encodeResult(
        1,
        Array.from({ length: 33 }, () => /\p{L}/u),
      ),
    ).to.throw(NotSerializable);
    expect(() =>
      encodeResult(
        1,
        Array.from({ length: 31 }, () => /\p{L}/u),
      ),
    ).not.to.throw();
    expect(isUrlText(`http://${host}`)).to.equal(false);
    expect(patternCost('\\p{L}', 'vi')).to.equal(Infinity);
  });

  /** Whole numbers whose hash ends in 14 bits of 0 in V8, which is what a set of 20,000 looks at. */
  function colliding(count: number): number[] {
    const found: number[] = [];
    for (let key = 1; found.length < count; key += 1) {
      let hash = (~key + (key << 15)) | 0;
      hash ^= hash >>> 12;
      hash = (hash + (hash << 2)) | 0;
      hash ^= hash >>> 4;
      hash = Math.imul(hash, 2_057);
      if (((hash ^ (hash >>> 16)) & 0x3fff) === 0) found.push(key);
    }
    return found;
  }

  it('is not started for sets and maps of numbers that were chosen to collide', () => {
    const keys = colliding(20_000);
    const pairs = keys.map((key) => [key, 0]);
    for (const text of [annotated('set', keys), annotated('map', pairs)]) {
      // 1 s when it is.
      const took = busy(400, () => expect(decode(text)[0]).to.include({ type: 'unreadable' }));
      expect(took).to.be.below(400);
    }
  }).timeout(120_000);

  it('is done for large sets of ordinary numbers', () => {
    const lists = [
      (index: number) => index,
      (index: number) => index * 65_536,
      (index: number) => 1.7e12 + index * 1_000,
      (index: number) => index / 3,
      (index: number) => -index * 2 ** 33,
      (index: number) => BigInt(index) ** 3n,
    ].map((each) => Array.from({ length: 50_000 }, (_, index) => each(index)));
    for (const list of lists) {
      const [frame] = decode(encodeResult(1, new Set<unknown>(list)) as string) as unknown as [
        { value: Set<unknown> },
      ];
      expect(frame.value?.size, String(list[7])).to.equal(50_000);
    }
  }).timeout(120_000);

  it('for a subscription to a name is the same however much waits for the subscriber', () => {
    const queue = new EventQueue();
    for (let at = 0; at < 200_000; at += 1) queue.push(new EncodedEvent(`name ${at % 50}`, at, 'x'));
    const { bytes, size } = queue;
    const took = busy(3_000, () => {
      for (let at = 0; at < 20_000; at += 1) {
        const name = `other ${at % 900}`;
        queue.push(new EncodedEvent(name, at, 'x'));
        expect(queue.first(name)?.sequence).to.equal(at);
        expect(queue.remove(name)).to.equal(1);
      }
    });
    // Some 50 ms; a walk through the queue for each took 20 s.
    expect(took).to.be.below(3_000);
    expect({ bytes: queue.bytes, size: queue.size }).to.deep.equal({ bytes, size });
    expect(queue.remove('name 7')).to.equal(4_000);
    const left: number[] = [];
    for (let event = queue.shift(); event; event = queue.shift()) left.push(event.sequence);
    expect(left).to.deep.equal(Array.from({ length: 200_000 }, (_, at) => at).filter((at) => at % 50 !== 7));
    expect({ bytes: queue.bytes, size: queue.size }).to.deep.equal({ bytes: 0, size: 0 });
  }).timeout(120_000);

  it('keeps no message in memory for a tag or a name in it', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const kept: string[] = [];
    const filler = 'x'.repeat(1024 * 1024);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let id = 1; id <= 100; id += 1) {
      const [request] = decode(
        `{"type":"request","id":${id},"tag":"a tag of its own, ${id}","args":["${filler}"]}`,
      );
      const [event] = decode(
        `{"type":"event","name":"a name of its own, ${id}","sequence":${id},"value":"${filler}"}`,
      );
      kept.push((request as { tag: string }).tag, (event as { name: string }).name);
    }
    collect();
    const grown = process.memoryUsage().heapUsed - before;
    expect(kept[1]).to.equal('a name of its own, 1');
    // 200 MiB when a slice of each message is kept.
    expect(grown).to.be.below(20 * 1024 * 1024);
  }).timeout(120_000);
});
