/** One measured value, and what it is held against. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The value may be this at most, in the same unit. */
  readonly target?: number;
}

/** What a benchmark gives to the runner. */
export interface Benchmark {
  readonly name: string;
  /** What it measures, one line for the table. */
  readonly title: string;
  readonly run: (say: Say) => Promise<Figure[]>;
}

/** Tells what is going on, for whoever watches. */
export type Say = (line: string) => void;

/**
 * The value below which a share of the samples lies, by nearest rank.
 *
 * @param share 0 to 1
 */
export function quantile(samples: ArrayLike<number>, share: number): number {
  if (samples.length === 0) throw new Error('There are no samples');
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}

export function median(samples: ArrayLike<number>): number {
  return quantile(samples, 0.5);
}

/** p50 and another quantile of the same samples, the target being that of the other one unless both are given. */
export function spread(
  name: string,
  unit: string,
  samples: ArrayLike<number>,
  high: 'p95' | 'p99' | 'max',
  targets: { readonly p50?: number; readonly high?: number } = {},
): Figure[] {
  const share = { p95: 0.95, p99: 0.99, max: 1 }[high];
  const target = (value: number | undefined) => (value === undefined ? {} : { target: value });
  return [
    { name: `${name}, p50`, value: median(samples), unit, ...target(targets.p50) },
    { name: `${name}, ${high}`, value: quantile(samples, share), unit, ...target(targets.high) },
  ];
}

export function isMet({ value, target }: Figure): boolean | null {
  return target === undefined ? null : value <= target;
}
