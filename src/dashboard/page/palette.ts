/** Colours of what is drawn on a canvas; `main.css` has those of everything else. */

export interface Palette {
  readonly dark: boolean;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  readonly bad: string;
  readonly warn: string;
  /** Of groups. */
  readonly kinds: readonly string[];
  /** Of round trips and durations, from fast to slow, as red, green and blue. */
  readonly speeds: readonly (readonly [number, number, number])[];
  /** Of the heat map, from few to many. */
  readonly heat: readonly (readonly [number, number, number])[];
}

const DARK: Palette = {
  ...{ dark: true, text: '#e6edf3', muted: '#8b98a9', line: '#26303c', surface: '#121820' },
  ...{ bad: '#fb7185', warn: '#fbbf24' },
  kinds: ['#38bdf8', '#a78bfa', '#34d399', '#f472b6', '#facc15', '#fb923c', '#818cf8', '#a3e635'],
  speeds: [
    [45, 212, 191],
    [96, 165, 250],
    [251, 191, 36],
    [251, 113, 133],
  ],
  heat: [
    [23, 37, 64],
    [30, 84, 140],
    [20, 160, 170],
    [120, 214, 140],
    [250, 230, 120],
  ],
};

const LIGHT: Palette = {
  ...{ dark: false, text: '#1b2430', muted: '#64707f', line: '#e3e7ec', surface: '#ffffff' },
  ...{ bad: '#e11d48', warn: '#d97706' },
  kinds: ['#0284c7', '#7c3aed', '#059669', '#db2777', '#ca8a04', '#ea580c', '#4f46e5', '#65a30d'],
  speeds: [
    [13, 148, 136],
    [37, 99, 235],
    [217, 119, 6],
    [225, 29, 72],
  ],
  heat: [
    [225, 238, 250],
    [150, 205, 235],
    [60, 155, 200],
    [30, 95, 160],
    [40, 35, 100],
  ],
};

const isDark = matchMedia('(prefers-color-scheme: dark)');

export function palette(): Palette {
  return isDark.matches ? DARK : LIGHT;
}

/** Calls back when the colours have changed. */
export function onPalette(changed: () => void): () => void {
  isDark.addEventListener('change', changed);
  return () => isDark.removeEventListener('change', changed);
}

/** @param share from 0 to 1 */
export function between(stops: Palette['heat'], share: number): [number, number, number] {
  const place = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(place));
  const part = place - index;
  const [one, other] = [stops[index]!, stops[index + 1]!];
  return [0, 1, 2].map((each) => Math.round(one[each]! + (other[each]! - one[each]!) * part)) as [
    number,
    number,
    number,
  ];
}

/** From 0.1 ms to 100 ms. @returns a CSS colour */
export function speedColor({ speeds }: Palette, milliseconds: number, alpha: number): string {
  const [red, green, blue] = between(speeds, (Math.log10(Math.max(milliseconds, 0.001)) + 1) / 3);
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}
