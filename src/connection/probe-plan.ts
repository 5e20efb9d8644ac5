import type { Address } from '../transport/address.ts';
import { isAtBroker } from '../transport/address.ts';
import type { ConnectionContext } from './connection-context.ts';
import type { ProbeInput } from './dial/probing.ts';

/** Where a connection dials its peer although it has a link, or just had one, and how long that may take. */

/**
 * How often the usual time a fresh dial may take after the link closed. Where a process ended, the dial is refused at once. If it
 * is neither refused nor answered, the peer may be one of many that are dialled again at the same time, by an outage of the
 * network or on a host that is overloaded: it counts as gone after about as long as if it had been silent.
 */
const PATIENCE = 4;

/** The addresses that discovery knows, or else those that this peer itself had dialled. */
export function whereToProbe({ services, id, addresses }: ConnectionContext): readonly Address[] {
  const known = services.whereabouts(id);
  return known.length > 0 ? known : addresses;
}

/** The fresh dial that decides about a peer. */
export function decidingDial(context: ConnectionContext): ProbeInput {
  const { services, record } = context;
  // This process was late lately: so may be what it waits for.
  const probeTime = services.probeTime + services.liveness.getSnapshot().context.lag;
  return {
    ...dialOf(context, whereToProbe(context), record!.generation + 1),
    time: record!.doubt?.hasClosed ? PATIENCE * probeTime : probeTime,
  };
}

/** The dial for a direct link in place of one through a broker; undefined if there is nothing to dial. */
export function directDial(context: ConnectionContext): ProbeInput | undefined {
  const { record } = context;
  const addresses = whereToProbe(context).filter((address) => !isAtBroker(address));
  if (addresses.length === 0 || !record?.link?.socket.isRelayed) return undefined;
  // With the same generation the direct link stays: see keep-one.ts.
  return dialOf(context, addresses, record.generation);
}

function dialOf(
  { id, services }: ConnectionContext,
  addresses: readonly Address[],
  generation: number,
): ProbeInput {
  const { transport, handshake, largestMessage, probeTime: time } = services;
  return { id, addresses, transport, handshake, largestMessage, generation, time };
}
