import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { promises as dns } from 'node:dns';

import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import type { Answer, Question } from 'dns-packet';

import type { Names } from '../../src/providers/dns.ts';

/** A DNS server of the test's own, on loopback. */
export class DnsServer {
  /** The answers it knows, by name. A name that is not here does not exist. */
  readonly zone = new Map<string, Answer[]>();
  /** The questions it was asked, as `A name`. */
  readonly asked: string[] = [];
  /** `silent`: it hears and says nothing. `broken`: it says that it has failed. */
  mood: 'well' | 'silent' | 'broken' = 'well';
  readonly #socket: Socket = createSocket('udp4');

  async start(): Promise<this> {
    this.#socket.on('message', (message, { port, address }) => {
      const { id = 0, questions = [] } = decode(message);
      this.asked.push(...questions.map(({ type, name }) => `${type} ${name}`));
      if (this.mood !== 'silent') this.#socket.send(this.#answer(id, questions), port, address);
    });
    await new Promise<void>((resolve) => this.#socket.bind(0, '127.0.0.1', resolve));
    return this;
  }

  a(name: string, ...addresses: string[]): void {
    this.zone.set(
      name,
      addresses.map((data) => ({ type: data.includes(':') ? 'AAAA' : 'A', name, ttl: 1, data })),
    );
  }

  srv(name: string, ...targets: [target: string, port: number][]): void {
    this.zone.set(
      name,
      targets.map(([target, port]) => ({ type: 'SRV', name, ttl: 1, data: { target, port } })),
    );
  }

  /** The system's own resolver, asking this server. @param hosts what the system knows besides */
  names(hosts: Record<string, string[]> = {}): Names {
    const resolver = new dns.Resolver({ timeout: 200, tries: 1 });
    resolver.setServers([`127.0.0.1:${this.#socket.address().port}`]);
    return {
      resolve4: (name) => resolver.resolve4(name),
      resolve6: (name) => resolver.resolve6(name),
      resolveSrv: (name) => resolver.resolveSrv(name),
      lookup: (name) =>
        hosts[name]
          ? Promise.resolve(hosts[name])
          : Promise.reject(Object.assign(new Error(name), { code: 'ENOTFOUND' })),
      cancel: () => resolver.cancel(),
    };
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  #answer(id: number, questions: Question[]): Buffer {
    const known = questions.flatMap(({ name }) => this.zone.get(name) ?? []);
    const answers = known.filter(({ type }) => questions.some((question) => question.type === type));
    const exists = questions.every(({ name }) => this.zone.has(name));
    const code = this.mood === 'broken' ? 2 : exists ? 0 : 3;
    const packet = { id, type: 'response', flags: RECURSION_DESIRED | code, questions } as const;
    return encode({ ...packet, answers: this.mood === 'broken' ? [] : answers });
  }
}
