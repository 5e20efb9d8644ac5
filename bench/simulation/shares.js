/** Below this share a part is one of many. */
const LEAST = 0.01;

/** Who took the time of a profile: `[part, share]`, the largest first. Parts are the rooms of the library, packages, and Node's own code. */
export function shares({ nodes, samples, timeDeltas }) {
  const urls = new Map(nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
  const times = new Map();
  let total = 0;
  samples.forEach((id, index) => {
    const part = urls.get(id);
    if (part === 'idle') return;
    times.set(part, (times.get(part) ?? 0) + timeDeltas[index]);
    total += timeDeltas[index];
  });
  const all = [...times].map(([part, time]) => [part, time / total]);
  const large = all.filter(([, share]) => share >= LEAST).toSorted(([, a], [, b]) => b - a);
  const rest = all.reduce((sum, [, share]) => sum + (share < LEAST ? share : 0), 0);
  return [...large, ['others', rest]];
}

function partOf({ url, functionName }) {
  const [, kept] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  if (kept) return kept;
  const [, room] = /\/build\/([^/]+)\//.exec(url) ?? [];
  if (room) return `src/${room}`;
  if (url.startsWith('node:')) return url.replace(/^node:(internal\/)?/, 'Node: ').replace(/\/.*/, '');
  // What V8 names itself, such as `(garbage collector)`.
  return /^\((.*)\)$/.exec(functionName)?.[1] ?? 'native functions';
}
