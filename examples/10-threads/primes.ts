// Functions that compute. Each worker thread loads this file, so it starts nothing.
import { connect } from 'app-net';

export const primes = connect(
  {
    /** Yields after each part how many primes there are in it. */
    async *count(to: number, parts: number): AsyncGenerator<number> {
      for (let part = 0; part < parts; part += 1) {
        let count = 0;
        const end = Math.floor((to * (part + 1)) / parts);
        for (let n = Math.floor((to * part) / parts); n < end; n += 1) if (isPrime(n)) count += 1;
        yield count;
      }
    },
    /** Never ends by itself. */
    search(): number {
      for (let n = 2; ; n += 1) if (isPrime(n) && !isPrime(n)) return n;
    },
  },
  { prefix: 'primes', threads: 2, kill: 200 },
);

function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let factor = 2; factor * factor <= n; factor += 1) if (n % factor === 0) return false;
  return true;
}
