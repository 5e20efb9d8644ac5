/**
 * How often something random is tried: a few times in the suite, where every run adds other ones, and many times in
 * `npm run soak`.
 */
export function rounds(few: number, many: number): number {
  return process.env['SOAK'] === '1' ? many : few;
}
