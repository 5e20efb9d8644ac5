// A worker process. It only connects the function, and stays.
import { connect, serve } from 'app-net';

/** How many primes there are from `from` up to, not including, `to`. */
export const countPrimes = connect(
  'countPrimes',
  (from: number, to: number): number => {
    let count = 0;
    for (let n = from; n < to; n += 1) if (isPrime(n)) count += 1;
    return count;
  },
  // A second count does no harm, so the work of a crashed process is given to another one.
  { idempotent: true },
);

function isPrime(n: number): boolean {
  if (n < 4) return n > 1;
  if (n % 2 === 0) return false;
  for (let divisor = 3; divisor * divisor <= n; divisor += 2) if (n % divisor === 0) return false;
  return true;
}

await serve();
