import { afterAwake } from '../../base/time/awake.ts';
import { systemClock } from '../../base/time/clock.ts';

/**
 * The result of work on files, with a time limit: a network file system whose server is gone never answers. It uses system time,
 * whatever clock the peer has, because files belong to the system. The time in which this process did not run does not count.
 * @param milliseconds the time limit
 * @param what the subject of the error message
 * @throws Error if the work takes longer
 */
export async function inTime<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  let stopTimer = (): void => {};
  const late = new Promise<never>((_, reject) => {
    stopTimer = afterAwake(systemClock, milliseconds, () =>
      reject(new Error(`${what} did not answer within ${milliseconds / 1_000} s`)),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stopTimer();
  }
}
