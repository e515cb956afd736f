// The core's verifiers, kept: preparing keys costs as much as verifying with them.

// Receivers with secrets by context (one for each customer) have several; what isn't kept is only made again.
const VERIFIERS_MAX = 64;

// What the core says of an instance that is of no more use; its other errors are about what it was given.
const USELESS = ['CORE_ABORTED', 'OUT_OF_MEMORY', 'TOO_MANY_HANDLES', 'DISPOSED'];

const isAboutArguments = ({ name, code }) => name === 'FluxoraError' && !USELESS.includes(code);

export class Verifiers {
  #load;
  #loading;
  #requireStandard;
  #held = new Map();

  constructor(load, requireStandard) {
    this.#load = load;
    this.#requireStandard = requireStandard;
  }

  /** Rejects with what is wrong with the keys, or where there are none. */
  async prepare(keys) {
    const { code } = await this.verify(keys, { headers: {}, body: '', now: 0 });
    if (code === 'missing_secret') throw new Error('The receiver has no secret.');
  }

  /**
   * The core's verdict. Rejects where a key is none, where the caller gave what is no delivery, and where the module
   * can't be loaded, which the next call tries again.
   */
  async verify(keys, delivery) {
    const core = await this.#core();
    // From here on nothing is waited for, so that no other call lets go of this verifier.
    const name = JSON.stringify(keys);
    try {
      return this.#of(core, name, keys).verify(delivery);
    } catch (error) {
      if (!isAboutArguments(error)) this.#forget();
      throw error;
    }
  }

  async #core() {
    this.#loading ??= this.#load();
    try {
      return await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }

  #of(core, name, keys) {
    const verifier = this.#held.get(name) ?? core.webhooks.verifier(keys, { requireStandard: this.#requireStandard });
    // The last one in the map is the one used last.
    this.#held.delete(name);
    this.#held.set(name, verifier);
    if (this.#held.size > VERIFIERS_MAX) {
      const [[oldest, unused]] = this.#held;
      this.#held.delete(oldest);
      unused.dispose();
    }
    return verifier;
  }

  /** After a call that didn't come back the module refuses all others: the next one gets a new module. */
  #forget() {
    this.#loading = undefined;
    this.#held.clear();
  }
}
