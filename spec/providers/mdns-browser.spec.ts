import { expect } from 'chai';
import * as fc from 'fast-check';

import type { Browser } from '../../src/providers/mdns/browser.ts';
import type { Resource } from '../../src/providers/mdns/packet.ts';
import { endpointOf, ObservedBrowser, other, own, recordsOf, response } from '../support/mdns-browser.ts';

describe('the browser of multicast DNS: its reports', () => {
  let observed: ObservedBrowser;
  let browser: Browser;
  let seen: ObservedBrowser['seen'];
  let reports: ObservedBrowser['reports'];
  let live: ObservedBrowser['live'];
  let ids: ObservedBrowser['ids'];

  beforeEach(() => {
    observed = new ObservedBrowser();
    ({ browser, seen, reports, live, ids } = observed);
  });
  afterEach(() => observed.browser.close());

  it('reports a complete peer, and nothing twice', () => {
    browser.heard(response(...recordsOf('peer', '10.0.0.2', 'fd00::2', 'fe80::2')), other);
    browser.heard(response(...recordsOf('peer', '10.0.0.2', 'fd00::2', 'fe80::2')), other);
    browser.tick();
    const addresses = [
      { host: '10.0.0.2', port: 4000 },
      { host: 'fd00::2', port: 4000 },
    ];
    expect(reports).to.deep.equal([[endpointOf('peer'), { id: 'peer', incarnation: 'peer-1', addresses }]]);
  });

  it('reports a peer for any order of records and packets, as soon as the last one has arrived', () => {
    const pieces = recordsOf('peer', '10.0.0.2');
    fc.assert(
      fc.property(
        fc.shuffledSubarray(pieces, { minLength: 4 }),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        (order, cuts) => {
          seen.clear();
          browser = observed.restart();
          let packet: Resource[] = [];
          for (const [index, piece] of order.entries()) {
            packet.push(piece);
            if (!cuts[index] && index < 3) continue;
            // A browser that gets only a part asks for the rest. Here the rest comes unasked.
            browser.heard(response(...packet), other);
            packet = [];
          }
          browser.heard(response(...pieces), other);
          expect(ids()).to.deep.equal(['peer']);
        },
      ),
    );
  });

  it('reports no endpoint without an id, and none of its own', () => {
    const [pointer, location, description, address] = recordsOf('peer', '10.0.0.2');
    for (const data of [[], ['id=peer'], ['id=', 'life=x'], ['id=a b', 'life=x'], ['id', 'life']]) {
      const changed = { ...description, data } as Resource;
      browser.heard(response(pointer!, location!, changed, address!), other);
      expect(ids(), JSON.stringify(data)).to.deep.equal([]);
    }
    browser.heard(response(own.pointer, own.location, own.description, ...own.addresses), other);
    expect(ids()).to.deep.equal([]);
    browser.heard(response({ ...description!, type: 'TXT', data: ['ID=peer', 'x=y', 'Life=peer-1'] }), other);
    expect(ids()).to.deep.equal(['peer']);
  });

  it('reports no address from off the link, and a link-local one only when there is no other', () => {
    const far = ['192.0.2.1', '10.0.1.2', '127.0.0.1', '224.0.0.251', '0.0.0.0', '2001:db8::1', '::1'];
    browser.heard(response(...recordsOf('far', ...far)), other);
    expect(ids()).to.deep.equal([]);
    browser.heard(response(...recordsOf('mixed', 'fe80::3', ...far, '10.0.0.3').slice(0, 20)), other);
    browser.heard(response(...recordsOf('near', 'fe80::4')), other);
    const hosts = [...seen.values()].map(({ addresses }) => addresses.map(({ host }) => host));
    expect(hosts).to.deep.equal([['fe80::3%eth0'], ['fe80::4%eth0']]);
    browser.heard(response(...recordsOf('mixed', 'fe80::3', '10.0.0.3')), other);
    expect(seen.get(endpointOf('mixed'))?.addresses).to.deep.equal([{ host: '10.0.0.3', port: 4000 }]);
  });

  it('follows a peer to another port or other addresses', async () => {
    browser.heard(response(...recordsOf('peer', '10.0.0.2', '10.0.0.3')), other);
    await live(2);
    const [, location] = recordsOf('peer') as [Resource, Resource & { type: 'SRV' }];
    browser.heard(response({ ...location, data: { ...location.data, port: 5000 } }), other);
    expect(seen.get(endpointOf('peer'))?.addresses.map(({ port }) => port)).to.deep.equal([5000, 5000]);
    browser.heard(response(...recordsOf('peer', '10.0.0.3').slice(3)), other);
    await live(2);
    expect(seen.get(endpointOf('peer'))?.addresses).to.deep.equal([{ host: '10.0.0.3', port: 5000 }]);
  });

  it('withdraws its reports when it ends', () => {
    browser.heard(response(...recordsOf('peer', '10.0.0.2')), other);
    browser.close();
    expect(ids()).to.deep.equal([]);
  });
});
