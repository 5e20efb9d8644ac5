// What one peer of the growth set has seen of the others, by name, and when.

/**
 * `joined` resolves, with the time it happened, once `others` peers are there at the same time. `came` and `went` resolve with the
 * time at which the peer of this name came last, or went: also when that has been already.
 */
export function watching(others) {
  const seen = new Map();
  const gone = new Map();
  const waiting = [];
  const look = () => {
    for (const [index, { when, tell }] of [...waiting.entries()].reverse()) {
      const at = when();
      if (at === undefined) continue;
      waiting.splice(index, 1);
      tell(at);
    }
  };
  const until = (when) =>
    new Promise((tell) => {
      waiting.push({ when, tell });
      look();
    });
  return {
    found(name) {
      if (!seen.has(name)) seen.set(name, Date.now());
      gone.delete(name);
      look();
    },
    lost(name) {
      seen.delete(name);
      gone.set(name, Date.now());
      look();
    },
    joined: until(() => (seen.size >= others ? Date.now() : undefined)),
    came: (name) => until(() => seen.get(name)),
    went: (name) => until(() => gone.get(name)),
  };
}
