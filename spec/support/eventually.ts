/** Waits until `check` no longer throws or returns false; fails with its last error after `within` ms. */
export async function eventually(check: () => unknown, within = 40_000): Promise<void> {
  const end = performance.now() + within;
  for (;;) {
    try {
      if ((await check()) !== false) return;
      if (performance.now() > end) throw new Error(`not within ${within} ms: ${check.toString()}`);
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
