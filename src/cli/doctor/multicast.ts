import { networkInterfaces } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

import { linksOf } from '../../providers/mdns/links.ts';
import type { Link } from '../../providers/mdns/links.ts';
import { writeQuery } from '../../providers/mdns/packet.ts';
import { openSocket } from '../../providers/mdns/socket.ts';
import type { Result } from './report.ts';
import { count } from '../terminal/units.ts';
import { messageOf } from '../../base/text.ts';

/** The check of `doctor` whether multicast could find peers of other hosts. */

const CHECK = 'multicast';

/** Every DNS-SD responder answers this question, whatever services it has (RFC 6763, section 9). */
const EVERY_SERVICE = '_services._dns-sd._udp.local';

/** How long an answer may take, in ms. Responders wait for up to 120 ms before they answer. */
const ANSWER_TIME = 400;

const INSTEAD = 'set APP_NET_PEERS=host:port to find peers without multicast';

interface Heard {
  link: Link;
  /** Why nothing can be sent on it. */
  error: string | undefined;
  own: boolean;
  others: number;
}

/**
 * Asks on every interface which hosts are there, and listens whether its own question arrives.
 * @param needed whether peers here use multicast
 */
export async function checkMulticast(needed: boolean): Promise<Result[]> {
  const links = linksOf(networkInterfaces());
  if (links.length === 0) {
    const says = 'no network interface to other hosts is up';
    return [failing(needed, needed, says)];
  }
  const all = await Promise.all(links.map((link) => listenOn(link)));
  const works = all.some(({ own }) => own);
  return all.map(({ link, error, own, others }): Result => {
    if (own) {
      const says = `works on ${link.label}; ${count(others, 'other host')} answered`;
      return { status: 'ok', check: CHECK, says };
    }
    const why = error ?? 'nothing is received, not even the own question; a firewall may block UDP port 5353';
    // One interface that works is enough.
    return failing(needed, needed && !works, `does not work on ${link.label}: ${why}`);
  });
}

function failing(needed: boolean, isProblem: boolean, text: string): Result {
  const says = needed ? text : `${text} (matters only with APP_NET_LAN)`;
  if (isProblem) return { status: 'problem', check: CHECK, says, todo: INSTEAD };
  return { status: 'note', check: CHECK, says };
}

async function listenOn(link: Link): Promise<Heard> {
  const others = new Set<string>();
  let own = false;
  let error: string | undefined;
  try {
    const socket = await openSocket(link, {
      received: (_, from) => {
        const [address = ''] = from.address.split('%');
        if (link.addresses.includes(address)) own = true;
        else if (link.isFrom(from.address)) others.add(address);
      },
      sent: (failure) => (error ??= failure?.message),
    });
    for (const query of writeQuery([{ name: EVERY_SERVICE, type: 'PTR' }], [])) socket.send(query);
    await wait(ANSWER_TIME);
    await socket.close();
  } catch (failure) {
    error = messageOf(failure);
  }
  return { link, error, own, others: others.size };
}
