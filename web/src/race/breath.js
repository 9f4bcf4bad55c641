/** Work in slices: the page stays alive, and a signal ends it. */
export class Breath {
  /**
   * @param {AbortSignal} [signal]
   * @param {number} [length] of a slice, in milliseconds
   */
  constructor(signal, length = 8) {
    this.signal = signal;
    this.length = length;
    this.until = performance.now() + length;
    /** How often it rested. */
    this.rests = 0;
  }

  /** @returns {boolean} whether it is time to rest */
  get due() {
    return performance.now() >= this.until;
  }

  /** Lets the page do what it has to; throws the signal's reason when it was aborted. */
  async rest() {
    await new Promise((resolve) => setTimeout(resolve));
    this.signal?.throwIfAborted();
    this.until = performance.now() + this.length;
    this.rests++;
  }
}
