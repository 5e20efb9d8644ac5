import { constants } from 'node:os';

import { NetError } from '../base/errors.ts';
import { near } from '../base/near.ts';
import { milliseconds, refuseUnknown } from '../base/option-checks.ts';

/** How a peer stops: for how long it drains, and on which signals. */

/**
 * How a peer stops.
 *
 * @example
 * await stop({ drainTime: 2_000 });
 */
export interface StopOptions {
  /**
   * How long `stop()` waits for calls that are running, in ms. Calls that still run then are lost. The first `stop()` of a
   * peer decides. Default: the `drainTime` of the peer, 10 000.
   */
  drainTime?: number | undefined;
}

/**
 * Until when a peer serves.
 *
 * @example
 * await serve({ stopOn: ['SIGTERM', 'SIGINT'], drainTime: 2_000 });
 */
export interface ServeOptions extends StopOptions {
  /**
   * Signals that stop the peer gracefully: on the first one it drains, then `serve()` resolves. A second signal ends the
   * process at once. Default: none; a signal does what Node does by default.
   */
  stopOn?: readonly NodeJS.Signals[] | undefined;
}

const STOP: Record<keyof StopOptions, true> = { drainTime: true };
const SERVE: Record<keyof ServeOptions, true> = { ...STOP, stopOn: true };

/**
 * A terminal sends Ctrl-C to every process in it, and npm and npx pass it on to the same processes once more. A signal
 * that follows the first one within this time, in ms, is the same key press.
 */
export const SAME_PRESS = 100;

/** @throws TypeError for an unknown option or an invalid time */
export function checkStopOptions(options: StopOptions): void {
  refuseUnknown('option', options, STOP);
  milliseconds('drainTime', options.drainTime, 0);
}

/**
 * Serves until the peer ends, or until one of the signals has stopped it.
 * @param serve resolves when the peer has ended
 * @throws TypeError for invalid options; what `serve` throws
 */
export async function serveUntilSignal(
  options: ServeOptions,
  serve: () => Promise<void>,
  stop: (how: StopOptions) => Promise<void>,
): Promise<void> {
  refuseUnknown('option', options, SERVE);
  const { stopOn, drainTime } = options;
  checkStopOptions({ drainTime });
  if (stopOn === undefined && drainTime !== undefined)
    throw new TypeError('drainTime: give it together with stopOn, or give it to stop()');
  const watch = new SignalWatch(signals(stopOn), () => stop({ drainTime }));
  try {
    await serve();
    await watch.stopping;
  } catch (error) {
    // A signal stopped the peer while it was starting.
    if (!watch.stopping || !(error instanceof NetError) || error.code !== 'STOPPED') throw error;
    await watch.stopping;
  } finally {
    watch.end();
  }
}

/** @throws TypeError for anything but the name of a signal that a process can listen for */
function signals(given: readonly NodeJS.Signals[] = []): readonly NodeJS.Signals[] {
  if (!Array.isArray(given))
    throw new TypeError("stopOn: give a list of signals, such as ['SIGTERM', 'SIGINT']");
  for (const name of given as unknown[]) {
    if (name === 'SIGKILL' || name === 'SIGSTOP') {
      throw new TypeError(`stopOn: no process can listen for ${name}; give ['SIGTERM', 'SIGINT']`);
    }
    if (typeof name === 'string' && Object.hasOwn(constants.signals, name)) continue;
    const meant = typeof name === 'string' ? near(name, Object.keys(constants.signals)) : [];
    const hint = meant.length === 0 ? '' : `; did you mean ${meant.join(' or ')}?`;
    throw new TypeError(`stopOn: ${JSON.stringify(name) ?? String(name)} is not the name of a signal${hint}`);
  }
  return [...new Set(given)];
}

/** Stops once, on the first of the signals. Then it stops listening, so that the next signal has its default effect. */
class SignalWatch {
  /** Settles when the peer has stopped; undefined before the first signal. */
  stopping: Promise<void> | undefined;
  readonly #signals: readonly NodeJS.Signals[];
  readonly #stop: () => Promise<void>;
  #samePress: NodeJS.Timeout | undefined;

  constructor(names: readonly NodeJS.Signals[], stop: () => Promise<void>) {
    this.#signals = names;
    this.#stop = stop;
    for (const name of names) process.on(name, this.#received);
  }

  end(): void {
    clearTimeout(this.#samePress);
    for (const name of this.#signals) process.off(name, this.#received).off(name, exit);
  }

  readonly #received = (): void => {
    if (this.stopping) return;
    this.stopping = this.#stop();
    this.#samePress = setTimeout(() => this.#listenNoMore(), SAME_PRESS).unref();
  };

  #listenNoMore(): void {
    this.end();
    // The kernel ignores signals for the first process of a container, unless that process listens for them.
    if (process.pid === 1) for (const name of this.#signals) process.on(name, exit);
  }
}

/** Ends the process with the exit code that shells know for this signal. */
function exit(name: NodeJS.Signals): never {
  process.exit(128 + constants.signals[name]);
}
