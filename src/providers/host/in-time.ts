import { systemClock } from '../../base/clock.ts';

/**
 * The result of work on files, unless it takes too long: a network file system whose server is gone lets everybody wait
 * for ever. In the system's time, whatever clock the peer has, since files are the system's.
 * @param milliseconds how long
 * @param what is named in the error
 * @throws Error
 */
export async function inTime<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = systemClock.setTimeout(
      () => reject(new Error(`${what} does not answer within ${milliseconds / 1_000} s`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    systemClock.clearTimeout(timer);
  }
}
