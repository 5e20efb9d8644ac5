import { isLeaf } from '../../src/presence/members/types.ts';
import type { SimulatedPeer, Told } from './simulated-peer.ts';

/** What is wrong with a network of simulated peers, in words: undefined if nothing is. */

/** The first living peer that does not see exactly the other living ones, in their present state. Leaves are seen over links only. */
export function disagreement(living: readonly SimulatedPeer[]): string | undefined {
  const lives = new Map(living.map((peer) => [peer.incarnation, peer]));
  const count = living.filter((peer) => !peer.isLeaf).length;
  for (const peer of living) {
    const seen = [...peer.seen.values()];
    const wrong = seen.find(({ incarnation, version }) => {
      const other = lives.get(incarnation);
      if (other?.isLeaf && !peer.isLinked(other)) return true;
      return other?.core.self.version !== version;
    });
    if (wrong) return `${peer.incarnation} still sees ${wrong.incarnation} at ${wrong.version}`;
    const others = new Set(seen.filter((member) => !isLeaf(member)).map(({ incarnation }) => incarnation));
    if (others.size !== count - (peer.isLeaf ? 0 : 1)) {
      const lacks = living.find((each) => !each.isLeaf && each !== peer && !others.has(each.incarnation));
      return `${peer.incarnation} does not see ${lacks?.incarnation}`;
    }
  }
  return undefined;
}

/** The first living peer that lacks a link to one of its neighbours. */
export function unlinked(living: readonly SimulatedPeer[]): string | undefined {
  for (const peer of living) {
    const lacks = living.find(
      (each) => each !== peer && peer.core.isNeighbour(each.id) && !peer.isLinked(each),
    );
    if (lacks) return `${peer.id} lacks a link to ${lacks.id}`;
  }
  return undefined;
}

/** How often living peers were reported left; not by those that could not reach them, and not leaves, which have one link. */
export function falseLeaves(peers: readonly SimulatedPeer[]): number {
  const living = new Set(
    peers.filter((peer) => peer.alive && !peer.isLeaf).map(({ incarnation }) => incarnation),
  );
  const isFalse = ({ type, why, incarnation }: Told): boolean =>
    type === 'left' && why !== 'unreachable' && living.has(incarnation);
  return peers.reduce((sum, { told }) => sum + told.filter(isFalse).length, 0);
}

/** The first join or leave that does not follow its opposite. */
export function unpaired(peers: readonly SimulatedPeer[]): string | undefined {
  for (const peer of peers) {
    const present = new Set<string>();
    for (const { type, id } of peer.told) {
      if (present.has(id) === (type === 'joined')) return `${peer.id}: ${id} ${type} twice`;
      if (type === 'joined') present.add(id);
      else present.delete(id);
    }
  }
  return undefined;
}
