// The code under test: one function that other processes call, and one that calls another process.
import { NetError, connect, remote } from 'app-net';

export interface Line {
  cents: number;
  count: number;
}

export const total = connect('shop.total', (lines: readonly Line[]): number =>
  lines.reduce((sum, { cents, count }) => sum + cents * count, 0),
);

const countOf = remote<(item: string) => number>('warehouse.count');

export async function inStock(item: string): Promise<'yes' | 'no' | 'unknown'> {
  try {
    return (await countOf.any()(item)) > 0 ? 'yes' : 'no';
  } catch (error) {
    if (error instanceof NetError) return 'unknown';
    throw error;
  }
}
