import type { FluxoraCore, Rounding } from '@fluxora/core';

import type { Operation } from './float_column.js';

/** A rounding must be said for what may not come out even. */
export const ROUNDINGS: readonly Rounding[] = ['floor', 'ceiling', 'down', 'half_up', 'half_even'];

/** Base units. Throws what the core throws. */
export function coreResult(
  { amounts }: FluxoraCore, a: string, operation: Operation, b: string, rounding: Rounding,
): bigint {
  const [x, y] = [amounts.parse(a), amounts.parse(b)];
  switch (operation) {
    case '+': return amounts.add(x, y);
    case '−': return amounts.subtract(x, y);
    case '×': return amounts.multiplyFixed(x, y, rounding);
    case '÷': return amounts.divideFixed(x, y, rounding);
  }
}
