/** A message with some of its fields changed. */
export function edit(text: string, fields: Record<string, unknown>): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), ...fields });
}
