// The child's end of the conversation with run.js: one message names an operation, one answers it.
export function answerParent(operations) {
  process.on('message', async ({ id, operation, data }) => {
    try {
      const value = await operations[operation](data);
      process.send({ id, value });
    } catch (error) {
      process.send({ id, error: error?.message || String(error) });
    }
  });
  // If the parent dies without a chance to clear up, its children must not linger.
  process.on('disconnect', () => process.exit(0));
}
