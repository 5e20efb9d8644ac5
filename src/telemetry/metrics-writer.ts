export type Labels = Readonly<Record<string, string>>;

const LABEL = /^[a-z_]\w*$/i;

/** Writes lines of metrics, in the text format of Prometheus or in OpenMetrics. The two name counters differently. */
export class MetricsWriter {
  readonly #isOpen: boolean;
  #text = '';
  #head = '';
  #name = '';

  constructor(format: 'prometheus' | 'openmetrics') {
    if (format !== 'prometheus' && format !== 'openmetrics') {
      throw new TypeError("format: give 'prometheus' or 'openmetrics'");
    }
    this.#isOpen = format === 'openmetrics';
  }

  /** The following values belong to this metric. A counter is named without `_total`. */
  begin(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void {
    this.#name = type === 'counter' ? `${name}_total` : name;
    const family = this.#isOpen ? name : this.#name;
    this.#head = `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`;
  }

  value(labels: Labels, value: number): void {
    this.#line(this.#name, labels, value);
  }

  /** @param counts of each bucket, and of what is above the last bound */
  histogram(
    labels: Labels,
    bounds: readonly number[],
    counts: readonly number[],
    count: number,
    sum: number,
  ): void {
    let below = 0;
    counts.forEach((each, index) => {
      below += each;
      const bound = bounds[index];
      this.#line(
        `${this.#name}_bucket`,
        { ...labels, le: bound === undefined ? '+Inf' : decimal(bound) },
        below,
      );
    });
    this.#line(`${this.#name}_sum`, labels, sum);
    this.#line(`${this.#name}_count`, labels, count);
  }

  end(): string {
    return this.#isOpen ? `${this.#text}# EOF\n` : this.#text;
  }

  #line(name: string, labels: Labels, value: number): void {
    // A metric without values is left out.
    this.#text += this.#head;
    this.#head = '';
    const list = Object.entries(labels).map(([label, text]) => {
      if (!LABEL.test(label))
        throw new TypeError(
          `labels: ${JSON.stringify(label)} is not the name of a label; use letters, digits and _`,
        );
      return `${label}="${escaped(text)}"`;
    });
    this.#text += `${name}${list.length > 0 ? `{${list.join(',')}}` : ''} ${value}\n`;
  }
}

/** OpenMetrics wants a bound of 1 as `1.0`. */
function decimal(bound: number): string {
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}

/** Lone surrogates are no UTF-8, and a scraper would refuse the whole text. */
function escaped(text: string): string {
  return text
    .replaceAll(/\p{Surrogate}/gu, '\u{fffd}')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n');
}
