/** Three significant digits: more would claim a precision which the spread denies. */
export function round(value) {
  if (!Number.isFinite(value)) return 'n/a';
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 2 });
}
