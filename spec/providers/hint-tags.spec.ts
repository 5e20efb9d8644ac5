import { expect } from 'chai';

import { checked, HintTags } from '../../src/providers/hint-tags.ts';
import { deriveKeys, makeSecret, PUBLIC_SECRET } from '../../src/wire/handshake/secret.ts';

const life = { id: 'render-1', incarnation: 'V1StGXR8_Z5jdHi6B-myT' };
const address = { host: '10.0.0.7', port: 41_873 };

const tagsOf = async (secret: string): Promise<HintTags> => new HintTags((await deriveKeys(secret)).hints!);

describe('the tags of hints', () => {
  let tags: HintTags;
  let others: HintTags;
  before(async () => {
    tags = await tagsOf('net1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8');
    others = await tagsOf(makeSecret());
  });

  it('match those of another implementation', () => {
    // HKDF and HMAC of Python's standard library say the same: see docs/protocol.md.
    expect(tags.sign(life, address)).to.deep.equal({ ...address, tag: 'V1QKHdVAN_tbG9bVyARdBA' });
  });

  it('are valid for one life at one address only', () => {
    const right = tags.sign(life, address);
    expect(tags.isRight(life, right)).to.equal(true);
    const wrong = [
      () => tags.isRight({ ...life, id: 'render-2' }, right),
      () => tags.isRight({ ...life, incarnation: 'another' }, right),
      () => tags.isRight({ id: 'render', incarnation: `-1\n${life.incarnation}` }, right),
      () => tags.isRight(life, { ...right, port: 41_874 }),
      () => tags.isRight(life, { ...right, host: '10.0.0.8' }),
      () => tags.isRight(life, address),
      () => tags.isRight(life, { ...right, tag: right.tag.slice(1) }),
      () => tags.isRight(life, { ...right, tag: `${right.tag}A` }),
      () => tags.isRight(life, { ...right, tag: '' }),
      () => tags.isRight(life, { ...right, tag: tags.farewell(life) }),
      () => tags.isFarewell(life, right.tag),
      () => others.isRight(life, right),
    ];
    for (const check of wrong) expect(check(), String(check)).to.equal(false);
    expect(tags.isFarewell(life, tags.farewell(life))).to.equal(true);
    expect(others.isFarewell(life, tags.farewell(life))).to.equal(false);
  });

  it('do not depend on the spelling of an address, nor on its local zone', () => {
    const port = 4000;
    const same = [
      ['fd00::7', 'FD00:0:0::7', 'fd00:0000::0007'],
      ['fe80::1', 'fe80::1%eth0', 'FE80::1%3'],
      ['10.0.0.7', '::ffff:10.0.0.7', '::ffff:0a00:0007'],
    ];
    for (const [host = '', ...forms] of same) {
      const { tag } = tags.sign(life, { host, port });
      for (const form of forms) expect(tags.isRight(life, { host: form, port, tag }), form).to.equal(true);
    }
  });

  it('are not made with a secret that can be guessed or is public', async () => {
    expect((await deriveKeys('correct horse battery')).hints).to.equal(undefined);
    expect((await deriveKeys(PUBLIC_SECRET)).hints).to.equal(undefined);
  });

  it('keep the addresses with a valid tag, drop a hint with a wrong one, and mark untagged addresses as untrusted', () => {
    const right = tags.sign(life, address);
    const hint = (...addresses: (typeof address & { tag?: string })[]) => ({ ...life, addresses });
    expect(checked(hint(right, { host: '10.0.0.9', port: 1 }), tags)).to.deep.equal(hint(right));
    expect(checked(hint(right, { ...right, host: '10.0.0.9' }), tags)).to.equal(undefined);
    expect(checked(hint(others.sign(life, address)), tags)).to.equal(undefined);
    expect(checked(hint(address), tags)).to.deep.equal({ ...hint(address), isAnybodys: true });
    // Nobody can check anything where the secret is a passphrase.
    expect(checked(hint(right, address), undefined)).to.deep.equal(hint(right, address));
  });
});
