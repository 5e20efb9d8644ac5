import { readFileSync } from 'node:fs';

import { expect } from 'chai';

import { digestOf } from '../../src/presence/exchange/function-lists.ts';
import { fingerprintOf } from '../../src/presence/members/fingerprint.ts';
import { HintTags } from '../../src/providers/hint-tags.ts';
import { ownRecords } from '../../src/providers/mdns/records.ts';
import { acceptorProof, diallerProof, transcript } from '../../src/wire/handshake/proof.ts';
import { Parcel } from '../../src/wire/outgoing.ts';
import { readClaims } from '../../src/wire/handshake/pass.ts';
import { deriveKeys, guestId, keyOfPass } from '../../src/wire/handshake/secret.ts';
import { receive } from '../support/codec.ts';

const text = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The block of code after a heading or sentence. */
function block(after: string): string {
  const from = text.indexOf('```\n', text.indexOf(after)) + 4;
  return text.slice(from, text.indexOf('\n```', from));
}

describe('docs/protocol.md', () => {
  it('has a worked example of the handshake that is exact to the byte', async () => {
    const example = new Map(
      block('### A worked example')
        .split('\n')
        .map((line) => [line.slice(0, 11).trim(), line.slice(11)]),
    );
    const secret = /net1_[\w-]{43}/.exec(text)![0];
    const keys = await deriveKeys(secret);
    expect(keys.dialler.export().toString('hex')).to.equal(example.get('K_D'));
    expect(keys.acceptor.export().toString('hex')).to.equal(example.get('K_A'));
    const binding = { kind: 'loopback', data: Buffer.from('127.0.0.1:40123') };
    const t = transcript(binding, example.get('M1')!, example.get('M2')!);
    expect(t.toString('hex')).to.equal(example.get('T'));
    const proof = diallerProof(keys, t);
    expect(`{"type":"proof","proof":"${proof}"}`).to.equal(example.get('M3'));
    expect(acceptorProof(keys, t, example.get('M3')!)).to.equal(example.get('M4.proof'));
  });

  it('has a pass that is exact to the byte', async () => {
    const claims = block('public part is the text of a JSON object');
    expect(readClaims(claims)).to.deep.equal(JSON.parse(claims));
    const secret = /net1_[\w-]{43}/.exec(text.slice(text.indexOf('### A worked example')))![0];
    const passes = (await deriveKeys(secret)).passes!;
    const shown = Buffer.from(claims).toString('base64url');
    const [, key, pass, id] =
      /^K_P +(\w+)\nkey +([\w-]+)\nid +([\w-]+) /.exec(block('the public part of the JSON above')) ?? [];
    expect(passes.export().toString('hex')).to.equal(key);
    expect(keyOfPass(passes, shown).toString('base64url')).to.equal(pass);
    expect(guestId(shown, 'one')).to.equal(id);
  });

  it('has tags of hints that are exact to the byte', async () => {
    const secret = /net1_[\w-]{43}/.exec(text.slice(text.indexOf('### A worked example')))![0];
    const key = (await deriveKeys(secret)).hints!;
    const tags = new HintTags(key);
    const life = { id: 'render-1', incarnation: 'V1StGXR8_Z5jdHi6B-myT' };
    const values = block('With the secret of the [worked example]')
      .split('\n')
      .map((line) => line.slice(line.lastIndexOf(' ') + 1));
    expect(values).to.deep.equal([
      key.export().toString('hex'),
      tags.sign(life, { host: '10.0.0.7', port: 41_873 }).tag,
      tags.farewell(life),
    ]);
    const strings = block('Its TXT record').split('\n').slice(0, 5);
    const records = ownRecords(life, 41_873, ['10.0.0.7'], tags);
    expect(records.description.data).to.deep.equal(strings);
  });

  it('has fingerprints and digests that are exact', () => {
    const [id = '', incarnation = '', version, fingerprint] = block('`high` in base 36').split(/ +/);
    expect(fingerprintOf({ id, incarnation, started: 1, version: Number(version) })).to.equal(fingerprint);
    const [, digest] = /tags `a` and `b` is `([\w-]+)`/.exec(text)!;
    expect(digestOf(['b', 'a'])).to.equal(digest);
  });

  it('shows values that a peer understands', () => {
    expect(receive(block('## Values'))).to.deep.equal([
      {
        ...{ type: 'result', id: 7 },
        value: { since: new Date('2026-01-01'), tags: new Set(['a', 12345678901234567890n]) },
      },
    ]);
    const [, hexadecimal, frame] = /^\(binary message: ([\da-f ]+)\)\n(.*)$/.exec(block('**Bytes**'))!;
    const bytes = Buffer.from(hexadecimal!.replaceAll(' ', ''), 'hex');
    expect(receive(new Parcel(frame!, [bytes]))).to.deep.equal([
      { type: 'request', id: 8, tag: 'sum', args: [Uint16Array.of(2, 3)], kwargs: {} },
    ]);
  });

  it('shows frames that a peer understands', () => {
    const shown = block('## Frames')
      .replaceAll('…', 'text')
      .replaceAll('"properties":text', '"properties":{}');
    const frames = receive(shown);
    expect(frames.map(({ type }) => type)).to.deep.equal([
      'request',
      'result',
      'error',
      'cancel',
      ...['result', 'next', 'credit', 'complete'],
      ...['request', 'next', 'complete'],
      'functions',
      'load',
      'goaway',
      'revoked',
      ...['joined', 'left', 'accused', 'have', 'digest', 'summary', 'difference', 'offered', 'wanted'],
      ...['lists', 'list'],
      'subscribe',
      'subscribed',
      'event',
      'unsubscribe',
    ]);
  });
});
