// The functions every case serves.
export function createService() {
  let held = [];
  return {
    add: (a, b) => a + b,
    echo: (text) => text,
    // Does not answer until released, so that the cost of a call in waiting can be weighed.
    hold: () => new Promise((resolve) => held.push(resolve)),
    held: () => held.length,
    release() {
      const waiting = held;
      held = [];
      for (const resolve of waiting) resolve(true);
    },
  };
}
