import type { Context } from '../context.ts';
import { EXIT } from '../terminal/exit.ts';
import type { ExitCode } from '../terminal/exit.ts';
import { eventCalled, search, withPeer } from '../observer.ts';
import { safe } from '../terminal/text.ts';
import { count } from '../terminal/units.ts';
import { display, jsonable } from './values.ts';

/** `app-net events [name]`: prints events as they happen. */

export interface EventsOptions {
  group?: string;
}

/** Unlike other commands it is announced. Otherwise `app-net emit` in another terminal would not reach it. */
const LISTENING = { announce: true };

/** Stands for every name. */
const EVERY = '*';

export function events(
  { out, signal }: Context,
  name: string | undefined,
  { group }: EventsOptions,
): Promise<ExitCode> {
  return withPeer(
    'events',
    async (own) => {
      const { yellow, cyan, bold, dim } = out.colors;
      const stream = eventCalled(own, name ?? EVERY).stream({
        from: { group: group ?? '*' },
        signal,
        onGap: ({ missed, why }, peer) => {
          const who = { id: peer.id, name: peer.name };
          if (out.json)
            out.data({ time: new Date().toISOString(), type: 'gap', missed: missed ?? null, why, peer: who });
          else out.line(yellow(`… ${missed ?? 'some'} missed from ${safe(peer.name, 40)} (${why})`));
        },
      });
      if (out.messagesAreRead) {
        const found = await search(own, group, signal);
        out.message(
          out.errorColors.dim(
            `listening to ${count(found.length, 'peer')}, and to peers that join later; Ctrl-C ends`,
          ),
        );
      }
      for await (const { name: called, payload, peer, sequence, meta } of stream) {
        const now = new Date();
        if (out.json) {
          const who = { id: peer.id, name: peer.name, group: peer.group };
          out.data({
            time: now.toISOString(),
            type: 'event',
            name: called,
            payload: jsonable(payload),
            peer: who,
            sequence,
            ...(Object.keys(meta).length > 0 && { meta: jsonable(meta) }),
          });
        } else {
          const shown = display(payload, { colors: out.colors.enabled, columns: out.columns });
          out.line(
            `${dim(now.toTimeString().slice(0, 8))} ${cyan(safe(called, 100))}  ${bold(safe(peer.name, 40))}  ${shown}`,
          );
        }
        await out.taken(signal);
      }
      return EXIT.DONE;
    },
    LISTENING,
  );
}
