import type { RemotePeer } from '../index.ts';
import { readableTag } from '../tag.ts';
import { cut, safe } from './output.ts';
import type { Colors } from './output.ts';
import { where } from './peer-rows.ts';
import type { Answers } from './peer-rows.ts';
import { table } from './table.ts';
import { duration, milliseconds } from './units.ts';

/** What `peers` shows on a terminal: a row for each peer. */
export function peerTable(
  rows: readonly { peer: RemotePeer; answers: Answers | undefined }[],
  colors: Colors,
  columns: number,
): string {
  const peers = rows.map(({ peer }) => peer);
  const plain = rows.map(({ peer, answers }) => ({
    name: nameAmong(peers, peer) + (peer.hub ? ' (hub)' : ''),
    group: safe(peer.group, 20),
    where: where(peer),
    roundTrip: answers?.roundTrip === undefined ? '–' : milliseconds(answers.roundTrip),
    uptime: answers?.uptime === undefined ? '–' : duration(answers.uptime + performance.now() - answers.at),
    functions: peer.functions.map((tag) => shortName(tag)),
  }));
  const widest = (key: 'name' | 'group' | 'where', title: string): number =>
    Math.max(title.length, ...plain.map((row) => row[key].length));
  const taken = widest('name', 'NAME') + widest('group', 'GROUP') + widest('where', 'WHERE') + 9 + 12 + 5 * 2;
  const left = Math.max(20, columns - taken);
  return table(
    ['NAME', 'GROUP', 'WHERE', 'ROUND TRIP', 'UPTIME', 'FUNCTIONS'].map((title) => colors.dim(title)),
    plain.map((row) => [
      colors.bold(row.name),
      row.group,
      row.where,
      row.roundTrip,
      row.uptime,
      colors.cyan(fewer(row.functions, left)),
    ]),
  );
}

/** With as much of the id as tells it from the others, where several have the name. */
function nameAmong(peers: readonly RemotePeer[], peer: RemotePeer): string {
  const { name, id } = peer;
  const others = peers.filter((each) => each !== peer);
  if (others.every((each) => each.name !== name)) return safe(name, 40);
  let length = 6;
  while (
    length < id.length &&
    others.some((each) => each.id.startsWith(id.slice(0, length)) || each.name === id.slice(0, length))
  ) {
    length += 1;
  }
  return `${safe(name, 40)} ${id.slice(0, length)}`;
}

/** Of a derived tag the end of what it says, `math.multiply` for `my-app/math.multiply`; a tag that was given as it is. */
function shortName(tag: string): string {
  const name = readableTag(tag);
  return safe(name === tag ? tag : name.replace(/^.*\//, ''));
}

/** As many names as there is room for, and how many are left out. */
function fewer(names: readonly string[], width: number): string {
  for (let shown = names.length; shown > 0; shown -= 1) {
    const rest = names.length - shown;
    const text = names.slice(0, shown).join(', ') + (rest > 0 ? ` +${rest}` : '');
    if (text.length <= width || shown === 1) return cut(text, width);
  }
  return '–';
}
