import { fromCallback } from 'xstate';

import type { Clock } from '../base/time/clock.ts';
import type { Announcement, Provider } from '../providers/provider.ts';
import { hintOfName } from '../providers/hint.ts';
import type { Hint } from '../providers/hint.ts';
import { warnOfUnforeseen } from '../base/unforeseen.ts';
import type { DiscoveryMessage } from './messages.ts';

export type ProviderMessage =
  | { type: 'hint.failed'; hint: Hint; refused: boolean }
  | { type: 'hint.wanted'; id: string }
  | { type: 'hint.answered'; hint: Hint }
  | { type: 'provider.stop' };

type Report = (message: DiscoveryMessage) => void;

export interface ProviderInput {
  provider: Provider;
  self: Announcement;
  clock: Clock;
}

/** Peers that are only named are reported together, after so long, in ms: where hundreds start, each sees hundreds of names. */
const TOGETHER = 10;

/** Runs one provider, and turns its reports into messages to discovery. */
export const providerLogic = fromCallback<ProviderMessage, ProviderInput>(
  ({ input: { provider, self, clock }, sendBack, receive }) => {
    const { name } = provider;
    let named: Hint[] = [];
    let timer: unknown;
    const tellNamed = (): void => {
      clock.clearTimeout(timer);
      timer = undefined;
      const hints = named;
      named = [];
      if (hints.length > 0) (sendBack as Report)({ type: 'provider.found', provider: name, hints });
    };
    const report: Report = (message) => {
      tellNamed();
      (sendBack as Report)(message);
    };
    // Async wrappers, so that an error thrown before the provider returns a promise rejects, too.
    const start = async (): Promise<void> =>
      provider.start(self, {
        found: (hint) => report({ type: 'provider.found', provider: name, hints: [hint] }),
        named: (id) => {
          named.push(hintOfName(id));
          timer ??= clock.setTimeout(tellNamed, TOGETHER);
        },
        lost: (key, incarnation) => report({ type: 'provider.lost', provider: name, key, incarnation }),
        announced: () => report({ type: 'provider.announced', provider: name }),
        dropped: (hints) => report({ type: 'provider.dropped', provider: name, hints }),
        scanned: () => report({ type: 'provider.scanned', provider: name }),
        degraded: (reason) => report({ type: 'provider.degraded', provider: name, reason }),
      });
    const stop = async (): Promise<void> => provider.stop();
    start().catch((error: unknown) => report({ type: 'provider.failed', provider: name, error }));
    let stopped = false;
    receive((message) => {
      switch (message.type) {
        case 'hint.failed':
          provider.failed(message.hint, message.refused);
          break;
        case 'hint.wanted':
          provider.wanted?.(message.id);
          break;
        case 'hint.answered':
          provider.answered?.(message.hint);
          break;
        case 'provider.stop':
          // A provider that fails to stop is stopped below, and does not delay the others.
          stop().then(
            () => {
              stopped = true;
              report({ type: 'provider.stopped', provider: name });
            },
            (error: unknown) => {
              warnOfUnforeseen(`while the provider ${name} stopped`, error);
              report({ type: 'provider.stopped', provider: name });
            },
          );
          break;
      }
    });
    // The actor ended without an orderly stop, for example because the process exits.
    return () => {
      clock.clearTimeout(timer);
      if (!stopped) provider.stopNow();
    };
  },
);
