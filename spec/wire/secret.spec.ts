import { inspect } from 'node:util';

import { expect } from 'chai';

import { deriveKeys, makeSecret } from '../../src/wire/handshake/secret.ts';

const hex = async (secret: string): Promise<string[]> => {
  const { dialler, acceptor } = await deriveKeys(secret);
  return [dialler.export().toString('hex'), acceptor.export().toString('hex')];
};

describe('a made secret', () => {
  it('tells its kind, and holds 32 bytes', () => {
    expect(makeSecret()).to.match(/^net1_[\w-]{43}$/);
    expect(Buffer.from(makeSecret().slice(5), 'base64url')).to.have.length(32);
  });

  it('is different every time', () => {
    expect(new Set(Array.from({ length: 100 }, makeSecret)).size).to.equal(100);
  });

  it('is not stretched', async () => {
    // HKDF-SHA256 of 32 zero bytes, as any other implementation computes it.
    expect(await hex(`net1_${'A'.repeat(43)}`)).to.deep.equal([
      'df9c8294c06285a98f5117e3537a5f81d5af2c0f0ca4471bde8bfba7887c26cf',
      'e016e80c7a26d5786a986bd078d22a5698f9a3f1f226313df759b75cf031534a',
    ]);
  });
});

describe('the keys of a secret', () => {
  it('are the same every time', async () => {
    const secret = makeSecret();
    expect(await hex(secret)).to.deep.equal(await hex(secret));
    expect(await hex('correct horse')).to.deep.equal(await hex('correct horse'));
  });

  it('are 32 bytes for each side, and different ones', async () => {
    for (const secret of [makeSecret(), 'correct horse']) {
      const { dialler, acceptor } = await deriveKeys(secret);
      expect([dialler.symmetricKeySize, acceptor.symmetricKeySize]).to.deep.equal([32, 32]);
      expect(dialler.equals(acceptor)).to.equal(false);
    }
  });

  it('have a name that is the same for all with that secret', async () => {
    // HKDF-SHA256 with another label, of the bytes 0 to 31.
    const { world } = await deriveKeys('net1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8');
    expect(world).to.equal('YMWiRlC3nJfiWify');
    expect((await deriveKeys(makeSecret())).world).not.to.equal(world);
  });

  it('differ from secret to secret', async () => {
    const secrets = [makeSecret(), makeSecret(), 'correct horse', 'correct horsf', 'net1_too-short'];
    const keys = await Promise.all(secrets.map(async (secret) => (await hex(secret))[0]));
    expect(new Set(keys).size).to.equal(secrets.length);
  });

  it('do not appear when they are written to a log', async () => {
    const keys = await deriveKeys(makeSecret());
    const shown = inspect(keys, { depth: null, showHidden: true }) + JSON.stringify(keys);
    for (const key of [keys.dialler.export(), keys.acceptor.export()]) {
      expect(shown).not.to.include(key.toString('hex').slice(0, 8));
      // As `inspect` and `JSON.stringify` write bytes.
      expect(shown).not.to.include(
        key
          .toString('hex')
          .slice(0, 8)
          .replace(/(..)(?=.)/g, '$1 '),
      );
      expect(shown).not.to.include([...key.subarray(0, 4)].join(','));
    }
  });

  it('do not depend on the composition of accents', async () => {
    expect(await hex('caf\u00e9 au lait')).to.deep.equal(await hex('cafe\u0301 au lait'));
  });

  it('are the same on every host for a passphrase', async () => {
    // scrypt (N 2^15, r 8, p 3, salt "app-net.v1"), then HKDF-SHA256.
    expect((await hex('correct horse'))[0]).to.equal(
      '7e26bba9846163e336ceb6a1fdb1bc88b14ccc2ed865383b825ccb829812a93f',
    );
  });

  it('are derived from a passphrase without blocking the process', async () => {
    let turns = 0;
    let done = false;
    const count = (): void => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    await deriveKeys('a passphrase');
    done = true;
    expect(turns).to.be.above(10);
  });
});
