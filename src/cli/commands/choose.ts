import type { RemotePeer } from '../../index.ts';
import { near } from '../../base/near.ts';
import { DEFAULT_TAGS, readableTag } from '../../base/tag.ts';
import { CliError, EXIT } from '../terminal/exit.ts';
import { safe } from '../terminal/text.ts';
import { count } from '../terminal/units.ts';

/** Finds the peer or the function that the user typed. */

/**
 * The peer with this id, or name, or beginning of an id.
 * @throws CliError when there is none, or more than one
 */
export function choosePeer(wanted: string, peers: readonly RemotePeer[]): RemotePeer {
  const byId = peers.find(({ id }) => id === wanted);
  if (byId) return byId;
  const named = peers.filter(({ name }) => name === wanted);
  const found =
    named.length > 0 ? named : peers.filter(({ id }) => wanted.length >= 4 && id.startsWith(wanted));
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const ids = found.map(({ id, pid, host }) => `${id} (process ${pid} on ${safe(host, 64)})`);
    throw new CliError(
      EXIT.NOT_FOUND,
      `${count(found.length, 'peer')} are called ${quoted(wanted)}`,
      `choose one by its id: ${ids.join(', ')}`,
    );
  }
  throw new CliError(EXIT.NOT_FOUND, `no peer is called ${quoted(wanted)}`, peersNear(wanted, peers));
}

function peersNear(wanted: string, peers: readonly RemotePeer[]): string {
  const names = [...new Set(peers.map(({ name }) => name))];
  const alike = near(wanted, names);
  const shown = (alike.length > 0 ? alike : names.slice(0, 8)).map((name) => safe(name, 64));
  return alike.length > 0 ? didYouMean(shown) : `found ${shown.join(', ')}; app-net peers lists all`;
}

/**
 * The error for a command that found no peer at all, or none of the group.
 * @param groups the groups that have peers
 */
export function nobody(group: string | undefined, groups: readonly string[]): CliError {
  const text = group === undefined ? 'no peer was found' : `no peer of the group ${quoted(group)} was found`;
  const advice =
    group !== undefined && groups.length > 0
      ? `groups with peers: ${groups
          .slice(0, 8)
          .map((each) => quoted(each))
          .join(', ')}`
      : 'start one with app-net serve; if one runs and is not found, app-net doctor says why';
  return new CliError(EXIT.NOT_FOUND, text, advice);
}

/**
 * The tag of the function that the user typed: the tag itself, its readable name, or the end of that, such as
 * `multiplyValues` or `math.multiplyValues` for `my-app/math.multiplyValues`.
 * @throws CliError when none of the peers has it, or several functions match
 */
export function chooseFunction(wanted: string, peers: readonly RemotePeer[]): string {
  const tags = [...new Set([...peers.flatMap((peer) => peer.functions), ...Object.values(DEFAULT_TAGS)])];
  if (tags.includes(wanted)) return wanted;
  const readable = tags.map((tag) => ({ tag, name: readableTag(tag) }));
  const exact = readable.filter(({ name }) => name === wanted);
  const found = exact.length > 0 ? exact : readable.filter(({ name }) => endsWithPart(name, wanted));
  if (found.length === 1) return found[0]!.tag;
  if (found.length > 1) {
    const each = found.map(({ tag, name }) => {
      const has = peers.filter((peer) => peer.functions.includes(tag));
      return `${safe(name)} (${has.length === 1 ? safe(has[0]!.name, 64) : count(has.length, 'peer')})`;
    });
    throw new CliError(
      EXIT.NOT_FOUND,
      `${count(found.length, 'function')} are called ${quoted(wanted)}`,
      `choose one: ${each.join(', ')}`,
    );
  }
  throw noFunction(
    wanted,
    readable.map(({ name }) => name),
  );
}

/** Whether a name ends with whole parts of itself: `math.multiply` is the end of `my-app/math.multiply`. */
function endsWithPart(name: string, wanted: string): boolean {
  return name.endsWith(wanted) && /[/.]$/.test(name.slice(0, name.length - wanted.length));
}

function noFunction(wanted: string, names: readonly string[]): CliError {
  const lastPart = (name: string): string => name.replace(/^.*[/.]/, '');
  const containing = names.filter((name) => name.toLowerCase().includes(wanted.toLowerCase()));
  const alike = [...new Set([...near(wanted, names, lastPart), ...containing])]
    .slice(0, 5)
    .map((name) => safe(name));
  const advice = alike.length > 0 ? didYouMean(alike) : 'app-net peers lists the functions of each peer';
  return new CliError(EXIT.NOT_FOUND, `no peer has a function ${quoted(wanted)}`, advice);
}

function didYouMean(names: readonly string[]): string {
  return `did you mean ${names.join(' or ')}?`;
}

function quoted(text: string): string {
  return JSON.stringify(safe(text));
}
