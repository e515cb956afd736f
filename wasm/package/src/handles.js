import { FluxoraError } from './errors.js';

const HANDLES_MAX = 10_000;

/** Something in the module's memory that a JavaScript object stands for. */
class Handle {
  #pointer;
  #free;

  constructor(pointer, free) {
    this.#pointer = pointer;
    this.#free = free;
  }

  get pointer() {
    if (this.#pointer === 0) throw new FluxoraError('DISPOSED', 'It was disposed of.');
    return this.#pointer;
  }

  dispose() {
    if (this.#pointer === 0) return;
    const pointer = this.#pointer;
    this.#pointer = 0;
    this.#free(pointer);
  }
}

/** The handles of one instance. What is forgotten without `dispose()` is freed when the host notices, if it does. */
export class Handles {
  #count = 0;
  #forgotten = globalThis.FinalizationRegistry && new FinalizationRegistry((handle) => {
    try {
      handle.dispose();
    } catch {
      // The core has stopped, and its memory goes as a whole.
    }
  });

  /** Holds what `create` makes until `owner` is disposed of or forgotten. */
  hold(owner, create, destroy) {
    if (this.#count >= HANDLES_MAX) {
      throw new FluxoraError('TOO_MANY_HANDLES', `At most ${HANDLES_MAX} can be in use: dispose of some.`);
    }
    const pointer = create();
    if (pointer === 0) throw new FluxoraError('OUT_OF_MEMORY', 'No memory is left.');
    this.#count += 1;
    const handle = new Handle(pointer, () => {
      this.#count -= 1;
      destroy(pointer);
    });
    this.#forgotten?.register(owner, handle);
    return handle;
  }
}
