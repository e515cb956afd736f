import { textByHand } from './bigint_column.js';

/** What one of the three made of a sum: a figure, or why there is none. */
export type Outcome =
  | { readonly figure: string; readonly units?: bigint }
  | { readonly error: string };

/** What a computation gives, or the error that it throws: core's code, else JavaScript's name for it. */
export function outcomeOf(compute: () => string | bigint, format: (units: bigint) => string = textByHand): Outcome {
  try {
    const result = compute();
    return typeof result === 'string' ? { figure: result } : { figure: format(result), units: result };
  } catch (error) {
    const { code, name } = error as { code?: string; name: string };
    return { error: code ?? name };
  }
}
