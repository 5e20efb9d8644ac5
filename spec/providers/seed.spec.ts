import { readFileSync } from 'node:fs';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { chosenSeeds, readSeeds } from '../../src/providers/seed.ts';
import { NetError } from '../../src/base/errors.ts';

const address = (host: string, port: number) => ({ kind: 'address', address: { host, port } });

describe('a seed', () => {
  it('is an address', () => {
    for (const [text, host] of [
      ['10.0.0.5:4000', '10.0.0.5'],
      ['[::1]:4000', '::1'],
      ['[fe80::1%eth0]:4000', 'fe80::1%eth0'],
      ['Seed.Example.com:4000', 'seed.example.com'],
      ['localhost:4000', 'localhost'],
      ['my_worker-1:4000', 'my_worker-1'],
      [' spaced.example.:4000 ', 'spaced.example.'],
    ] as const) {
      expect(readSeeds('seeds', [text]), text).to.deep.equal([address(host, 4000)]);
    }
  });

  it('is a name with all of its addresses, or a service name', () => {
    expect(readSeeds('seeds', ['dns:workers.default.svc.cluster.local:4000'])).to.deep.equal([
      { kind: 'addresses', name: 'workers.default.svc.cluster.local', port: 4000 },
    ]);
    expect(readSeeds('seeds', ['srv:_app-net._tcp.example.com'])).to.deep.equal([
      { kind: 'services', name: '_app-net._tcp.example.com' },
    ]);
  });

  it('may be a host name like one of the prefixes', () => {
    expect(readSeeds('seeds', ['dns.example:4000', 'srv-1:4000', 'dns:4000', 'srv:4000'])).to.deep.equal([
      address('dns.example', 4000),
      address('srv-1', 4000),
      address('dns', 4000),
      address('srv', 4000),
    ]);
  });

  it('counts once when it is given twice', () => {
    expect(readSeeds('seeds', ['a:1', 'A:1', 'a:2'])).to.have.length(2);
  });

  it('is refused when it is invalid, with the option and the right form', () => {
    for (const [text, what] of [
      ['', 'write host:port'],
      ['10.0.0.5', 'write 10.0.0.5:4000'],
      ['seed.example', 'write seed.example:4000'],
      ['::1', '[::1]:4000'],
      ['[::1]', 'write [::1]:4000'],
      ['2001:db8::1:4000', '[2001:db8::1:4000]:4000'],
      ['10.0.0.5:0', 'from 1 to 65535'],
      ['10.0.0.5:65536', 'from 1 to 65535'],
      ['10.0.0.5:http', 'from 1 to 65535'],
      ['10.0.0.5:', 'from 1 to 65535'],
      ['10.0.0.5:4e3', 'from 1 to 65535'],
      ['10.0.0.256:4000', 'no valid host'],
      ['10.0.5:4000', 'no valid host'],
      ['[10.0.0.5]:4000', 'no valid host'],
      ['a b:4000', 'no valid host'],
      ['-a:4000', 'no valid host'],
      ['a..b:4000', 'no valid host'],
      [`${'a.'.repeat(127)}b:4000`, 'no valid host'],
      [':4000', 'no valid host'],
      ['me@host:4000', 'no valid host'],
      ['ws://host:4000', 'URL'],
      ['host:4000/path', 'URL'],
      ['0.0.0.0:4000', '127.0.0.1'],
      ['[::]:4000', '127.0.0.1'],
      ['dns:name', 'write name:4000'],
      ['dns:10.0.0.5:4000', 'write 10.0.0.5:4000'],
      ['srv:', '_app-net._tcp'],
      ['srv:name:4000', '_app-net._tcp'],
    ] as const) {
      expect(() => readSeeds('APP_NET_PEERS', ['good:1', text]), text).to.throw(
        TypeError,
        new RegExp(
          `^APP_NET_PEERS: ${JSON.stringify(text)
            .slice(0, 100)
            .replace(/[[\]\\.]/g, '\\$&')}`,
        ),
      );
      expect(() => readSeeds('APP_NET_PEERS', [text]), text).to.throw(TypeError, what);
    }
    expect(() => readSeeds('seeds', [4000])).to.throw(TypeError, '"4000"');
  });

  it('comes from the code, or else from the environment, where a final comma does no harm', () => {
    expect(chosenSeeds(['a:1'], 'b:2', true)).to.deep.equal([address('a', 1)]);
    expect(chosenSeeds([], 'b:2', true)).to.deep.equal([]);
    expect(chosenSeeds(undefined, ' b:2 ,c:3,', true)).to.deep.equal([address('b', 2), address('c', 3)]);
    expect(chosenSeeds(undefined, undefined, true)).to.deep.equal([]);
    expect(() => chosenSeeds(undefined, 'b', true)).to.throw(TypeError, /^APP_NET_PEERS: "b"/);
    expect(() => chosenSeeds('a:1' as never, undefined, true)).to.throw(TypeError, /^seeds: give an array/);
  });

  it('is refused beyond this host unless the peer is open to the network', () => {
    const near = ['127.0.0.1:4000', '127.1.2.3:4000', '[::1]:4000', 'localhost:4000'];
    expect(chosenSeeds(near, undefined, false)).to.have.length(4);
    for (const far of [
      '10.0.0.5:4000',
      '[fd00::5]:4000',
      'seed.example:4000',
      'dns:localhost:4000',
      'srv:a.example',
    ]) {
      expect(chosenSeeds([far], undefined, true)).to.have.length(1);
      expect(() => chosenSeeds([far], undefined, false))
        .to.throw(NetError, `seeds: ${far} is beyond this host; set lan: true (APP_NET_LAN=1)`)
        .with.property('code', 'INSECURE');
    }
  });

  it('is written correctly in docs/discovery.md and in the guides', () => {
    const page = (name: string): string =>
      readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
    const reference = page('discovery.md');
    for (const text of [
      reference,
      ...['deploy-to-kubernetes.md', 'find-a-missing-peer.md', 'run-on-two-hosts.md'].map((name) =>
        page(`guides/${name}`),
      ),
    ]) {
      const lists = [...text.matchAll(/APP_NET_PEERS(?:=|: |, value: )'?([\w.:,-]+)/g)].map(
        ([, list]) => list!,
      );
      expect(lists).to.have.length.above(0);
      for (const list of lists) chosenSeeds(undefined, list, true);
    }
    const rows = [...reference.matchAll(/^\| `([^`]+)`(?:, `([^`]+)`)? +\|/gm)].flatMap(
      ([, ...entries]) => entries,
    );
    // Other tables of the page begin with words in code, too.
    const entries = rows.filter((entry) => entry?.includes(':'));
    expect(entries).to.have.length.above(4);
    expect(readSeeds('seeds', entries)).to.have.length(entries.length);
  });

  it('is read or refused with a TypeError, for any text', () => {
    const parts = fc.constantFrom(
      'dns:',
      'srv:',
      '[',
      ']',
      ':',
      '::',
      '.',
      'a',
      '1',
      '4000',
      '%',
      '/',
      '-',
      '\n',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(parts).map((each) => each.join('')),
        ),
        (text) => {
          try {
            const [seed] = readSeeds('seeds', [text]);
            if (seed!.kind === 'address') {
              const { host, port } = seed!.address;
              const again = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
              expect(readSeeds('seeds', [again])).to.deep.equal([seed]);
            }
          } catch (error) {
            expect(error).to.be.instanceOf(TypeError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
