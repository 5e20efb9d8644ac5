/**
 * Detects numbers that were chosen to collide in the hash table of a set, or of the keys of a map. V8 hashes strings with a
 * secret of the process, but numbers and bigints without one. An attacker can choose 20,000 of them that make a set of 190 KB
 * take half a second, and ten times as many take fifty seconds. The hash function here is V8's. For another engine the check is a
 * harmless guess.
 */

/** No check up to this many keys: they take some ms at worst. */
const FREE = 2_048;

/** The last bits of the hash, by which the engine chooses among its first buckets. */
const BUCKETS = 1_024;

/** Whether far more keys share a bucket than would by chance. */
export function collide(keys: readonly unknown[], keyOf: (key: unknown) => unknown = (key) => key): boolean {
  if (keys.length <= FREE) return false;
  const most = (4 * keys.length) / BUCKETS + FREE / 2;
  const counts = new Uint32Array(BUCKETS);
  for (const each of keys) {
    const key = keyOf(each);
    if (typeof key !== 'number' && typeof key !== 'bigint') continue;
    const bucket = hashOf(key) & (BUCKETS - 1);
    counts[bucket]! += 1;
    if (counts[bucket]! > most) return true;
  }
  return false;
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

function hashOf(key: number | bigint): number {
  if (typeof key === 'bigint') {
    const last = BigInt.asUintN(64, key);
    return longHash(Number(last >> 32n) | 0, Number(last & 0xffff_ffffn) | 0);
  }
  if ((key | 0) === key) return shortHash(key);
  double[0] = key;
  return longHash(words[1]! | 0, words[0]! | 0);
}

/** The hash of a 32-bit integer. */
function shortHash(key: number): number {
  let hash = (~key + (key << 15)) | 0;
  hash ^= hash >>> 12;
  hash = (hash + (hash << 2)) | 0;
  hash ^= hash >>> 4;
  hash = Math.imul(hash, 2_057);
  return hash ^ (hash >>> 16);
}

/** The hash of 64 bits, given as upper and lower half: `h = ~h + (h << 18)`, and so on. */
function longHash(upper: number, lower: number): number {
  let [high, low] = add(~upper, ~lower, (upper << 18) | (lower >>> 14), lower << 18);
  low ^= (high << 1) | (low >>> 31);
  high ^= high >>> 31;
  // × 21
  const [high4, low4] = [(high << 2) | (low >>> 30), low << 2];
  const [high16, low16] = [(high << 4) | (low >>> 28), low << 4];
  [high, low] = add(high, low, high4, low4);
  [high, low] = add(high, low, high16, low16);
  low ^= (low >>> 11) | (high << 21);
  high ^= high >>> 11;
  [high, low] = add(high, low, (high << 6) | (low >>> 26), low << 6);
  return low ^ ((low >>> 22) | (high << 10));
}

function add(high: number, low: number, otherHigh: number, otherLow: number): [high: number, low: number] {
  const sum = (low >>> 0) + (otherLow >>> 0);
  return [(high + otherHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0, sum | 0];
}
