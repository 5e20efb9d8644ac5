import { randomBytes } from 'node:crypto';

import { writeGoodbye, writeQuery, writeResponse } from '../../src/providers/mdns/packet.ts';
import type { Resource } from '../../src/providers/mdns/packet.ts';
import { ownRecords, SERVICE } from '../../src/providers/mdns/records.ts';
import type { OwnRecords } from '../../src/providers/mdns/records.ts';

/** Hostile packets of multicast DNS. Each function makes another packet at each call. */
export function liesOf(random: () => number, honest: readonly OwnRecords[]): (() => Buffer)[] {
  const below = (most: number): number => Math.floor(random() * most);
  const pick = <Item>(list: readonly Item[]): Item => list[below(list.length)]!;
  const word = (): string => `w${below(1e9).toString(36)}`;
  const host = (): string =>
    pick(['10.0.0.66', '10.0.0.2', '127.0.0.1', '255.255.255.255', 'fe80::66', 'ff02::fb', '::1']);
  const all = ({ pointer, location, description, addresses }: OwnRecords): Resource[] => [
    pointer,
    location,
    description,
    ...addresses,
  ];
  const lie = (): OwnRecords =>
    ownRecords({ id: pick([word(), 'honest', 'victim']), incarnation: word() }, 1 + below(65_535), [
      host(),
      host(),
    ]);
  /** One of the honest, with one thing in it that is not true. */
  const bent = (): Resource => {
    const resource = pick(all(pick(honest)));
    switch (resource.type) {
      case 'SRV':
        return {
          ...resource,
          data: { port: below(65_536), target: pick([`${word()}.local`, resource.name]) },
        };
      case 'TXT':
        return { ...resource, data: resource.data.map((text) => (below(3) === 0 ? mangled(text) : text)) };
      case 'A':
        return { ...resource, ttl: below(3), data: '10.0.0.66' };
      default:
        return { ...resource, ttl: below(2 ** 31) };
    }
  };
  const mangled = (text: string): string =>
    pick([
      () => text.slice(0, -1),
      () => `${text}A`,
      () => text.toUpperCase(),
      () => 'x'.repeat(250),
      () => '',
    ])();
  const mutated = (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes);
    for (let count = 1 + below(12); count > 0; count -= 1) copy[below(copy.length)] = below(256);
    return copy.subarray(0, below(4) === 0 ? below(copy.length + 1) : undefined);
  };
  /** A header that promises so many records, and then this. */
  const headed = (counts: readonly number[], body: Buffer): Buffer => {
    const header = Buffer.alloc(12);
    header.writeUInt16BE(pick([0x8400, 0, 0x0200, 0x8583]), 2);
    for (const [index, count] of counts.entries()) header.writeUInt16BE(count, 4 + 2 * index);
    return Buffer.concat([header, body]);
  };
  const ptr = (name: Buffer, rdata: Buffer, length = rdata.length): Buffer => {
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(pick([12, 16, 33, 1, 28, 47, 41, below(65_536)]), 0);
    fixed.writeUInt16BE(pick([1, 0x8001, 255]), 2);
    fixed.writeUInt32BE(below(2 ** 32), 4);
    fixed.writeUInt16BE(length & 0xffff, 8);
    return Buffer.concat([name, fixed, rdata]);
  };
  const service = Buffer.from('\x08_app-net\x04_tcp\x05local\0', 'latin1');
  return [
    () => randomBytes(below(1_500)),
    () => writeResponse(all(lie())),
    () => writeResponse([bent(), bent(), bent()]),
    () => writeGoodbye(all(pick(honest)).slice(below(4))),
    () => mutated(writeResponse(all(pick(honest)))),
    () => mutated(writeResponse(all(lie()))),
    () => mutated(pick(writeQuery([{ name: SERVICE, type: 'PTR' }], all(lie())))),
    // Known answers of others, again and again, so that nobody answers.
    () =>
      pick(
        writeQuery(
          [{ name: SERVICE, type: 'PTR' }],
          [...honest.map(({ pointer }) => pointer), lie().pointer],
        ),
      ),
    // Counts that nobody could send, and names that lead back to themselves or hop through the whole packet.
    () => headed([below(65_536), below(65_536), below(65_536), below(65_536)], service),
    () =>
      headed(
        [0, 1 + below(256), 0, 0],
        Buffer.concat([service, Buffer.from([0xc0, 12 + below(24)]), service]),
      ),
    () => {
      const hops = Buffer.alloc(2 * (1 + below(4_000)));
      for (let at = 0; at < hops.length; at += 2) hops.writeUInt16BE(0xc000 | Math.max(12, 10 + at), at);
      return headed([below(200), below(56), 0, 0], Buffer.concat([hops, service]));
    },
    // Data that is longer or shorter than it says.
    () => headed([0, 1 + below(3), 0, 0], ptr(service, randomBytes(below(64)), below(300))),
    () => headed([0, 1, 0, 0], ptr(service, Buffer.from('\x3f'.repeat(1 + below(300)), 'latin1'))),
    // Tags: where they cannot be, cut off, hundreds of them, and those of others.
    () =>
      Buffer.concat([writeResponse([]), Buffer.from('\x1cat1=10.0.0.66:1,'.repeat(below(500)), 'latin1')]),
    () => {
      const bytes = writeResponse(all(pick(honest)));
      return bytes.subarray(0, bytes.indexOf('at1=') + below(40));
    },
    () => {
      const description = pick(honest).description;
      return writeResponse([{ ...description, data: description.data.toSorted(() => random() - 0.5) }]);
    },
    () =>
      Buffer.concat([
        writeResponse(all(lie())),
        Buffer.alloc(below(9_000), pick(['app-net', 'at1=', '\xc0\x0c']), 'latin1'),
      ]),
  ];
}
