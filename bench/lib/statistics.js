// What the rounds say together: the median, the extremes, and the ratio to the controls.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/**
 * Summarises one metric of one case.
 *
 * A ratio is taken inside each round and the median of those ratios is reported: the machine's mood
 * changes from minute to minute, but much less within one round than over the whole run.
 *
 * @param {Array<Record<string, Record<string, number>>>} rounds  round → case → metric → figure
 */
export function summarise(rounds, name, metric) {
  const values = rounds.map((round) => round[name]?.[metric]).filter(Number.isFinite);
  if (values.length === 0) return undefined;
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    rounds: values.length,
    toRawTcp: ratio(rounds, name, 'raw-tcp', metric),
    toWsNaive: ratio(rounds, name, 'ws-naive', metric),
  };
}

function ratio(rounds, name, control, metric) {
  const ratios = rounds
    .map((round) => round[name]?.[metric] / round[control]?.[metric])
    .filter(Number.isFinite);
  return ratios.length ? median(ratios) : undefined;
}
