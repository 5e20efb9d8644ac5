import type { Peer, PeersChange, RemotePeer } from '../../index.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { LiveArea } from '../terminal/live-area.ts';
import { meant, search, searchSomebody, sorted, withPeer } from '../observer.ts';
import { safe } from '../terminal/text.ts';
import { unawaited } from '../../base/unforeseen.ts';
import { askAll, Infos, peerData, where } from './peer-rows.ts';
import type { Answers } from './peer-rows.ts';
import type { firstFunctions, peerTable } from './peer-table.ts';
import { count } from '../terminal/units.ts';

/** `app-net peers`: lists the peers. */

export interface PeersOptions {
  group?: string;
  watch?: boolean;
}

/** Time between two measurements of how long each peer takes to answer, in ms. */
const ASK_AGAIN = 2_000;

/** Time between two drawings of the table, in ms: uptimes are in seconds. */
const DRAW_AGAIN = 1_000;

/** Answers within this time are drawn together, in ms. */
const DRAW_TOGETHER = 50;

export function peers(context: Context, options: PeersOptions): Promise<ExitCode> {
  return withPeer('peers', async (peer) => {
    if (!options.watch) return show(context, peer, options.group);
    if (context.out.json) return follow(context, peer, options.group);
    return watch(context, peer, options.group);
  });
}

async function show({ out, signal }: Context, peer: Peer, group: string | undefined): Promise<ExitCode> {
  // Each peer is asked as soon as it joins, while others are still searched for.
  const infos = new Infos(signal);
  peer.peers.of(meant(group)).on('join', (each) => unawaited('in a question', infos.of(each)));
  const found = await searchSomebody(peer, group, signal);
  const drawing = out.json
    ? undefined
    : (): Promise<typeof import('./peer-table.ts')> => import('./peer-table.ts');
  const all = await askAll(found, signal, infos, drawing);
  signal.throwIfAborted();
  if (!drawing) {
    for (const [index, each] of found.entries()) out.data(peerData(each, all[index]));
    return EXIT.DONE;
  }
  const { peerTable: draw } = await drawing();
  const rows = found.map((each, index) => ({ peer: each, answers: all[index] }));
  out.line(draw(rows, out.colors, out.columns));
  return EXIT.DONE;
}

/** A line of JSON for each peer that is present, and then for each change. */
async function follow({ out, signal }: Context, peer: Peer, group: string | undefined): Promise<ExitCode> {
  const view = peer.peers.of(meant(group));
  await view.settled();
  for await (const change of view.watch({ signal })) {
    const time = new Date().toISOString();
    if (change.type === 'snapshot') {
      for (const each of sorted(change.peers)) out.data({ time, type: 'present', peer: peerData(each) });
    } else {
      const why = change.type === 'leave' ? { why: change.why, evidence: change.evidence.text } : {};
      out.data({ time, type: change.type, ...why, peer: peerData(change.peer) });
    }
    await out.taken(signal);
  }
  return EXIT.DONE;
}

/** The table, redrawn as it changes, with the changes above it. */
async function watch(context: Context, peer: Peer, group: string | undefined): Promise<ExitCode> {
  const { out, signal } = context;
  const view = peer.peers.of(meant(group));
  const table = new WatchedTable(context, () => view.list(), await import('./peer-table.ts'));
  await search(peer, group, signal);
  const timers = [
    setInterval(() => unawaited('in the table of peers', table.askAll()), ASK_AGAIN),
    setInterval(() => table.draw(), DRAW_AGAIN),
  ];
  try {
    for await (const change of view.watch({ signal })) table.changed(change);
  } finally {
    for (const timer of timers) clearInterval(timer);
    table.end();
  }
  if (!signal.aborted) out.message('the peer of this command was stopped, so the list ends here');
  return EXIT.DONE;
}

class WatchedTable {
  readonly #context: Context;
  readonly #list: () => RemotePeer[];
  readonly #area: LiveArea;
  readonly #table: typeof peerTable;
  readonly #first: typeof firstFunctions;
  readonly #answers = new Map<RemotePeer, Answers>();
  #soon: NodeJS.Timeout | undefined;

  constructor(context: Context, list: () => RemotePeer[], parts: typeof import('./peer-table.ts')) {
    this.#table = parts.peerTable;
    this.#first = parts.firstFunctions;
    this.#context = context;
    this.#list = list;
    this.#area = new LiveArea(context.out);
  }

  changed(change: PeersChange): void {
    if (change.type === 'snapshot') {
      this.draw();
      unawaited('in the table of peers', this.askAll());
      return;
    }
    const { peer } = change;
    this.draw([this.#sentence(change)]);
    if (change.type === 'leave') this.#answers.delete(peer);
    else if (change.type === 'join') unawaited('in the table of peers', this.#ask(peer));
  }

  async askAll(): Promise<void> {
    await Promise.all(this.#list().map((peer) => this.#ask(peer)));
  }

  draw(above: readonly string[] = []): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const { out } = this.#context;
    const rows = sorted(this.#list()).map((peer) => ({ peer, answers: this.#answers.get(peer) }));
    const room = Math.max(1, out.rows - 4);
    const shown = rows.slice(0, room);
    const lines = [this.#table(shown, out.colors, out.columns)];
    if (rows.length > shown.length) lines.push(`… and ${rows.length - shown.length} more`);
    lines.push(out.colors.dim(`${count(rows.length, 'peer')}, Ctrl-C ends`));
    this.#area.draw(lines.join('\n'), above);
  }

  end(): void {
    clearTimeout(this.#soon);
    this.#area.end();
  }

  async #ask(peer: RemotePeer): Promise<void> {
    const [answers] = await askAll([peer], this.#context.signal);
    if (!answers || this.#context.signal.aborted || !this.#list().includes(peer)) return;
    this.#answers.set(peer, answers);
    this.#drawSoon();
  }

  /** Delays the drawing, because many peers answer at about the same time. */
  #drawSoon(): void {
    this.#soon ??= setTimeout(() => this.draw(), DRAW_TOGETHER);
  }

  #sentence(change: Exclude<PeersChange, { type: 'snapshot' }>): string {
    const { green, red, yellow, dim } = this.#context.out.colors;
    const { peer } = change;
    const who = `${safe(peer.name, 40)} (${where(peer)})`;
    const time = dim(new Date().toTimeString().slice(0, 8));
    if (change.type === 'join')
      return `${time} ${green('+')} ${who} joined the group ${safe(peer.group, 20)}`;
    if (change.type === 'leave') {
      const because = change.why === 'lost' ? dim(` (${safe(change.evidence.text, 200)})`) : '';
      return `${time} ${red('-')} ${who} left: ${change.why}${because}`;
    }
    const { functions } = peer;
    const named = functions.length === 0 ? 'no function' : this.#first(functions, 200);
    return `${time} ${yellow('~')} ${who} now has ${named}`;
  }
}
