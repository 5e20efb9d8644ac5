import { afterAwake } from '../../base/time/awake.ts';
import { systemClock } from '../../base/time/clock.ts';

/**
 * Dials that a process may have begun at the same time, all its peers together. A handshake costs both ends some milliseconds of
 * work. When hundreds of peers start at once on a busy machine, more dials at a time only make each of them late, until they fail
 * for lateness and are begun again.
 */
const MOST = 16;

/** A dial that takes longer hangs, in ms of time awake, and gives up its place: a host that is gone answers nothing. */
const HANGS = 150;

/** The places of the dials of one process. */
export class DialPlaces {
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  /**
   * Waits for a place. Resolves with a function that gives it back. Who forgets to call it loses the place after a while.
   * @throws the reason of the signal
   */
  take(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(begin);
        this.#taken += 1;
        resolve(this.#place());
      };
      const abort = (): void => {
        this.#waiting.delete(begin);
        reject(signal.reason as Error);
      };
      if (signal.aborted) abort();
      else if (this.#taken < MOST) begin();
      else {
        this.#waiting.add(begin);
        signal.addEventListener('abort', abort, { once: true });
      }
    });
  }

  #place(): () => void {
    let over = false;
    const leave = (): void => {
      if (over) return;
      over = true;
      stopTimer();
      this.#taken -= 1;
      const [next] = this.#waiting;
      next?.();
    };
    const stopTimer = afterAwake(systemClock, HANGS, leave);
    return leave;
  }
}
