import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Peer, RemotePeer } from '../../index.ts';
import { messageOf } from '../../base/text.ts';
import { unawaited } from '../../base/unforeseen.ts';
import { Sum } from '../../telemetry/fleet.ts';
import { textOf } from '../../telemetry/metrics-text.ts';
import type { Context } from '../context.ts';
import { meant, search, withPeer } from '../observer.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { count } from '../terminal/units.ts';

/** `app-net metrics`: a page for Prometheus with the numbers of all peers. */

export interface MetricsOptions {
  group?: string;
  port: number;
  host: string;
  byPeer?: boolean;
}

/** How long a peer may take to answer, in ms. Prometheus gives up after 10 s. */
const ANSWER_TIME = 5_000;

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[?::1\]?)(:\d+)?$/i;

const TYPES = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;

export function metrics({ out, signal }: Context, options: MetricsOptions): Promise<ExitCode> {
  return withPeer('metrics', async (own) => {
    const found = await search(own, options.group, signal);
    const fleet = new Fleet(own, options);
    const server = createServer((request, response) => {
      unawaited('in an answer to a scraper', answer(fleet, options, request, response));
    });
    await listen(server, options);
    const { port } = server.address() as AddressInfo;
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    const url = `http://${host}:${port}/metrics`;
    if (out.json) out.data({ url, peers: found.length });
    else out.line(`${url} has the numbers of ${count(found.length, 'peer')}, and of peers that join later`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    server.close();
    server.closeAllConnections();
    return EXIT.DONE;
  });
}

async function listen(server: Server, { port, host }: MetricsOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((error: unknown) => {
    throw new CliError(EXIT.NOT_STARTED, messageOf(error), 'give another port with --port, or 0 for any');
  });
}

async function answer(
  fleet: Fleet,
  { host }: MetricsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const end = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, { 'content-type': type }).end(text);
  };
  // A page in a browser on this host must not read it by a name that leads here.
  if (LOOPBACK.test(host) && !LOOPBACK.test(request.headers.host ?? '')) {
    end(403, 'ask by an address of this host, such as 127.0.0.1\n');
  } else if (request.url?.split('?', 1)[0] !== '/metrics') {
    end(404, 'the numbers are at /metrics\n');
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    end(405, 'use GET\n');
  } else {
    const isOpen = String(request.headers.accept).includes('application/openmetrics-text');
    const format = isOpen ? 'openmetrics' : 'prometheus';
    end(200, await fleet.text(format), TYPES[format]);
  }
}

/** Peers that have left and may come back as the same life, and labels of those that are gone for good. */
const MOST_LEFT = 4_096;

/** How far the starts of one life may seem apart, in s. */
const SAME_START = 2;

interface Told {
  readonly peer: RemotePeer;
  readonly numbers: unknown;
  /** When the peer was made, in s on the clock of this process. */
  readonly began: number;
}

interface Labelled {
  readonly labels: Record<string, string>;
  readonly sum: Sum;
}

/**
 * The numbers of all peers, added up by group. The numbers of a peer that has left stay in the sums: a counter that falls looks
 * to Prometheus like a restart, and all that remains like new.
 */
class Fleet {
  readonly #own: Peer;
  readonly #options: MetricsOptions;
  /** What each peer that is present told last. */
  readonly #told = new Map<RemotePeer, Told>();
  /** By id: what those told that have left, as long as they may come back as the same life and tell it again. */
  readonly #left = new Map<string, Told>();
  readonly #gone = new Map<string, Labelled>();
  #underWay: Promise<void> | undefined;

  constructor(own: Peer, options: MetricsOptions) {
    this.#own = own;
    this.#options = options;
  }

  async text(format: 'prometheus' | 'openmetrics'): Promise<string> {
    // Scrapers that come at the same time share one question.
    this.#underWay ??= this.#ask().finally(() => (this.#underWay = undefined));
    await this.#underWay;
    return textOf(this.#sums(), format);
  }

  async #ask(): Promise<void> {
    const present = this.#own.peers.of(meant(this.#options.group)).list();
    for (const [peer, told] of this.#told) {
      if (present.includes(peer)) continue;
      this.#told.delete(peer);
      this.#forget(peer.id);
      this.#left.set(peer.id, told);
    }
    for (const id of this.#left.keys()) if (this.#left.size > MOST_LEFT) this.#forget(id);
    // A peer that does not answer keeps the numbers that it told last.
    await Promise.allSettled(present.map((peer) => this.#askOne(peer)));
  }

  async #askOne(peer: RemotePeer): Promise<void> {
    const numbers: unknown = await peer.metrics({ deadline: ANSWER_TIME });
    const began = performance.now() / 1_000 - Number((numbers as { uptime?: unknown } | null)?.uptime);
    const before = this.#left.get(peer.id);
    if (before && Math.abs(before.began - began) < SAME_START) this.#left.delete(peer.id);
    else this.#forget(peer.id);
    this.#told.set(peer, { peer, numbers, began });
  }

  /** Another life of this peer is there, or it has been away for long: what it did is kept in the sums only. */
  #forget(id: string): void {
    const told = this.#left.get(id);
    if (!told) return;
    this.#left.delete(id);
    this.#add(this.#gone, told, true);
    const [oldest] = this.#gone.keys();
    if (oldest !== undefined && this.#gone.size > MOST_LEFT) this.#gone.delete(oldest);
  }

  #sums(): { labels: Record<string, string>; metrics: Sum['metrics'] }[] {
    const sums = new Map<string, Labelled>();
    for (const [key, { labels, sum }] of this.#gone) {
      const copy = new Sum();
      copy.add(sum.metrics, true);
      sums.set(key, { labels, sum: copy });
    }
    for (const told of this.#left.values()) this.#add(sums, told, true);
    for (const told of this.#told.values()) this.#add(sums, told, false);
    return [...sums.values()].map(({ labels, sum }) => ({ labels, metrics: sum.metrics }));
  }

  #add(to: Map<string, Labelled>, { peer, numbers }: Told, gone: boolean): void {
    const { group, name, host } = peer;
    const labels = this.#options.byPeer ? { group, peer: name, host } : { group };
    const key = JSON.stringify(labels);
    const entry = to.get(key) ?? { labels, sum: new Sum() };
    to.set(key, entry);
    entry.sum.add(numbers, gone);
  }
}
