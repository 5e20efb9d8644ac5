import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force';
import type { Simulation, SimulationLinkDatum, SimulationNodeDatum } from 'd3-force';

import type { FleetLink, FleetPeer } from '../messages.ts';

/** Where the peers are in the picture. */

export interface Node extends SimulationNodeDatum {
  readonly id: string;
  x: number;
  y: number;
  /** Peers that belong together are drawn together. */
  cluster: string;
}

type Edge = SimulationLinkDatum<Node>;

/** Steps that are taken before the first picture, so that it does not explode before the reader's eyes. */
const FIRST_STEPS = 120;

export class Layout {
  readonly nodes = new Map<string, Node>();
  #clusters: readonly string[] = [];
  #shape = '';
  readonly #simulation: Simulation<Node, Edge>;
  readonly #edges = forceLink<Node, Edge>([]).id(({ id }) => id);
  readonly #charge = forceManyBody<Node>();
  readonly #collide = forceCollide<Node>();

  constructor() {
    this.#simulation = forceSimulation<Node, Edge>()
      .force('charge', this.#charge)
      .force('collide', this.#collide)
      .force('edges', this.#edges)
      .stop();
  }

  /** Whether the picture still moves. */
  get moves(): boolean {
    return this.#simulation.alpha() > 0.02;
  }

  /** Places of the clusters' names; none for a single peer, and if there is one cluster only. */
  get labels(): { text: string; x: number; y: number }[] {
    if (this.#clusters.length < 2) return [];
    return this.#clusters.flatMap((cluster) => {
      const nodes = [...this.nodes.values()].filter((node) => node.cluster === cluster);
      if (nodes.length < 2) return [];
      const x = nodes.reduce((sum, node) => sum + node.x, 0) / nodes.length;
      return [{ text: cluster, x, y: Math.max(...nodes.map((node) => node.y)) }];
    });
  }

  /** Takes over who is there and how they are connected. */
  update(peers: readonly FleetPeer[], links: readonly FleetLink[]): void {
    const shape = `${peers.map(({ id }) => id).join()} ${links.map(({ from, to }) => `${from}-${to}`).join()}`;
    if (shape === this.#shape) return;
    const isFirst = this.nodes.size === 0;
    this.#shape = shape;
    const hosts = new Set(peers.map(({ host }) => host));
    const groups = new Set(peers.map(({ group }) => group));
    const clusterOf = ({ host, group }: FleetPeer): string =>
      hosts.size > 1 || groups.size === 1 ? host : group;
    this.#clusters = [...new Set(peers.map(clusterOf))].toSorted();
    const ids = new Set(peers.map(({ id }) => id));
    for (const id of this.nodes.keys()) if (!ids.has(id)) this.nodes.delete(id);
    for (const [index, peer] of peers.entries()) {
      const cluster = clusterOf(peer);
      const known = this.nodes.get(peer.id);
      if (known) known.cluster = cluster;
      else this.nodes.set(peer.id, { id: peer.id, cluster, ...this.#start(cluster, index, peers.length) });
    }
    this.#force(
      peers.length,
      links.filter(({ from, to }) => ids.has(from) && ids.has(to)),
    );
    if (isFirst) this.#simulation.tick(FIRST_STEPS);
  }

  step(): void {
    this.#simulation.tick();
  }

  /** Newcomers begin around the place of their cluster. */
  #start(cluster: string, index: number, all: number): { x: number; y: number } {
    const { x, y } = this.#home(cluster);
    const angle = (index / Math.max(1, all)) * 2 * Math.PI;
    return { x: x + 60 * Math.cos(angle), y: y + 60 * Math.sin(angle) };
  }

  #home(cluster: string): { x: number; y: number } {
    const many = this.#clusters.length;
    if (many < 2) return { x: 0, y: 0 };
    const first = many === 2 ? Math.PI : -Math.PI / 2;
    const angle = (this.#clusters.indexOf(cluster) / many) * 2 * Math.PI + first;
    const radius = 70 + 30 * Math.sqrt(this.nodes.size);
    // As wide as the picture usually is.
    return { x: 2.1 * radius * Math.cos(angle), y: radius * Math.sin(angle) };
  }

  #force(count: number, links: readonly FleetLink[]): void {
    const room = count > 60 ? 1 : 1.6;
    // Connections find their ends among the nodes that the simulation has.
    this.#edges.links([]);
    this.#simulation.nodes([...this.nodes.values()]);
    this.#charge.strength(-260 * room).distanceMax(count > 60 ? 260 : 600);
    // With room for names below the peers.
    this.#collide.radius(count > 60 ? 11 : 44);
    this.#edges
      .links(links.map(({ from, to }) => ({ source: from, target: to })))
      .distance(count > 60 ? 60 : 150)
      // Each peer of a large network has a dozen of links, and together they would pull it into a ball.
      .strength(count > 60 ? 0.02 : 0.06);
    const hold = this.#clusters.length < 2 ? 0.06 : 0.22;
    this.#simulation
      .force('x', forceX<Node>((node) => this.#home(node.cluster).x).strength(hold))
      // The picture is wider than high.
      .force('y', forceY<Node>((node) => this.#home(node.cluster).y).strength(hold * 1.7))
      .alpha(0.6);
  }
}
