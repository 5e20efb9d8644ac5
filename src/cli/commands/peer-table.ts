import type { RemotePeer } from '../../index.ts';
import { readableTag } from '../../base/tag.ts';
import { cut, safe } from '../terminal/text.ts';
import type { Colors } from '../terminal/colors.ts';
import { where } from './peer-rows.ts';
import type { Answers } from './peer-rows.ts';
import { table, widthOf } from '../terminal/table.ts';
import { duration, milliseconds } from '../terminal/units.ts';

/** The most columns that the names of functions take: enough to recognize a peer. `--json` prints all of them. */
const WIDEST_FUNCTIONS = 80;

/** The table that `peers` shows on a terminal: a row for each peer. */
export function peerTable(
  rows: readonly { peer: RemotePeer; answers: Answers | undefined }[],
  colors: Colors,
  columns: number,
): string {
  const nameOf = namesAmong(rows.map(({ peer }) => peer));
  const plain = rows.map(({ peer, answers }) => ({
    name: nameOf(peer) + (peer.hub ? ' (hub)' : ''),
    group: safe(peer.group, 20),
    where: where(peer),
    roundTrip: answers?.roundTrip === undefined ? '–' : milliseconds(answers.roundTrip),
    uptime: answers?.uptime === undefined ? '–' : duration(answers.uptime + performance.now() - answers.at),
    functions: peer.functions,
  }));
  const widest = (key: 'name' | 'group' | 'where', title: string): number =>
    plain.reduce((width, row) => Math.max(width, widthOf(row[key])), title.length);
  const taken = widest('name', 'NAME') + widest('group', 'GROUP') + widest('where', 'WHERE') + 9 + 12 + 5 * 2;
  const left = Math.min(WIDEST_FUNCTIONS, Math.max(20, columns - taken));
  return table(
    ['NAME', 'GROUP', 'WHERE', 'ROUND TRIP', 'UPTIME', 'FUNCTIONS'].map((title) => colors.dim(title)),
    plain.map((row) => [
      colors.bold(row.name),
      row.group,
      row.where,
      row.roundTrip,
      row.uptime,
      colors.cyan(firstFunctions(row.functions, left)),
    ]),
  );
}

/** Each peer's name. Peers with the same name also get as much of their id as tells them apart. */
function namesAmong(peers: readonly RemotePeer[]): (peer: RemotePeer) => string {
  const names = new Map<string, number>();
  for (const { name } of peers) names.set(name, (names.get(name) ?? 0) + 1);
  const ids = peers.map(({ id }) => id).toSorted();
  const places = new Map(ids.map((id, index) => [id, index]));
  return ({ name, id }) => {
    if (names.get(name) === 1) return safe(name, 40);
    // In this order, ids with the same beginning are neighbours.
    const place = places.get(id)!;
    const alike = Math.max(commonStart(id, ids[place - 1]), commonStart(id, ids[place + 1]));
    let length = Math.max(6, alike + 1);
    while (length < id.length && names.has(id.slice(0, length))) length += 1;
    return `${safe(name, 40)} ${safe(id.slice(0, length), 40)}`;
  };
}

function commonStart(a: string, b = ''): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** The end of a derived tag, `math.multiply` for `my-app/math.multiply`. A tag that was given stays as it is. */
function shortName(tag: string): string {
  const name = readableTag(tag);
  return safe(name === tag ? tag : name.replace(/^.*\//, ''));
}

/** As many names as fit, and the number of the rest. Looks at no more names than it shows. */
export function firstFunctions(tags: readonly string[], width: number): string {
  if (tags.length === 0) return '–';
  const rest = (shown: number): string => (shown < tags.length ? ` +${tags.length - shown}` : '');
  let text = shortName(tags[0]!);
  let shown = 1;
  while (shown < tags.length) {
    const longer = `${text}, ${shortName(tags[shown]!)}`;
    if (widthOf(longer) + rest(shown + 1).length > width) break;
    text = longer;
    shown += 1;
  }
  const end = rest(shown);
  return cut(text, Math.max(1, width - end.length)) + end;
}
