import { systemClock } from '../../base/clock.ts';

/**
 * The result of work on files, with a time limit: a network file system whose server is gone never answers. It uses system time,
 * whatever clock the peer has, because files belong to the system.
 * @param milliseconds the time limit
 * @param what the subject of the error message
 * @throws Error if the work takes longer
 */
export async function inTime<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = systemClock.setTimeout(
      () => reject(new Error(`${what} did not answer within ${milliseconds / 1_000} s`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    systemClock.clearTimeout(timer);
  }
}
