import type { ComponentChildren, JSX } from 'preact';

/** Parts that several sections use. */

export function Card(properties: {
  title: string;
  class: string;
  id?: string;
  note?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  const { title, class: name, id, note, children } = properties;
  return (
    <section class={`card ${name}`} id={id} tabIndex={id === undefined ? undefined : -1} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note}
      </header>
      {children}
    </section>
  );
}

/** A few values of which one is chosen. */
export function Choice<Value extends string>(properties: {
  label: string;
  options: readonly (readonly [Value, string])[];
  value: Value;
  change: (value: Value) => void;
}): JSX.Element {
  const { label, options, value, change } = properties;
  return (
    <span class="choice" role="group" aria-label={label}>
      {options.map(([each, text]) => (
        <button key={each} type="button" aria-pressed={each === value} onClick={() => change(each)}>
          {text}
        </button>
      ))}
    </span>
  );
}

/** A table whose columns are named, with a sentence in place of no rows. */
export function Table(properties: {
  caption: string;
  columns: readonly (readonly [name: string, kind?: 'number'])[];
  empty: string;
  children: JSX.Element[];
}): JSX.Element {
  const { caption, columns, empty, children } = properties;
  if (children.length === 0) return <p class="empty">{empty}</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map(([name, kind]) => (
              <th key={name} scope="col" class={kind}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

const SPARK = { width: 90, height: 20 };

/** A line of figures. */
export function Spark({ values }: { values: readonly number[] }): JSX.Element {
  const most = Math.max(1, ...values);
  const points = values.map((value, index) => {
    const x = (index / Math.max(1, values.length - 1)) * SPARK.width;
    const y = SPARK.height - 1 - (value / most) * (SPARK.height - 2);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg class="spark" width={SPARK.width} height={SPARK.height} aria-hidden="true">
      <polygon points={`0,${SPARK.height} ${points.join(' ')} ${SPARK.width},${SPARK.height}`} />
      <polyline points={points.join(' ')} />
    </svg>
  );
}

/** A share as a bar, with its figure for those who do not see it. */
export function Bar({ share, label }: { share: number; label: string }): JSX.Element {
  const kind = share > 0.85 ? 'bar bad' : 'bar';
  return (
    <span class={kind} title={label}>
      <meter min={0} max={1} value={Math.min(1, share)} aria-label={label} />
      <span>{label}</span>
    </span>
  );
}
