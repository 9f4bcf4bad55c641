// Random numbers that a seed repeats: the Mersenne Twister MT19937 of Matsumoto and Nishimura 1998
// (https://doi.org/10.1145/272991.272995), seeded and read out exactly as Python's `random.Random(seed)`
// does. `uniform` is its random(), `normal` its gauss(0, 1), `shuffle` its shuffle(): noise drawn here is
// drawn again by the Python that "copy as PyTorch" gives, with nothing but the standard library.

const N = 624;
const M = 397;

/** The state after `init_genrand` of the authors' code. */
function fromNumber(seed) {
  const state = new Uint32Array(N);
  state[0] = seed;
  for (let i = 1; i < N; i++) {
    const before = state[i - 1] ^ (state[i - 1] >>> 30);
    state[i] = Math.imul(before, 1812433253) + i;
  }
  return state;
}

/** The state after `init_by_array`, which is how Python seeds. */
function fromWords(words) {
  const state = fromNumber(19650218);
  let i = 1;
  const next = () => {
    i += 1;
    if (i >= N) {
      state[0] = state[N - 1];
      i = 1;
    }
  };
  const mixed = () => state[i - 1] ^ (state[i - 1] >>> 30);
  for (let k = 0, j = 0; k < Math.max(N, words.length); k++, j = (j + 1) % words.length) {
    state[i] = (state[i] ^ Math.imul(mixed(), 1664525)) + words[j] + j;
    next();
  }
  for (let k = 0; k < N - 1; k++) {
    state[i] = (state[i] ^ Math.imul(mixed(), 1566083941)) - i;
    next();
  }
  state[0] = 0x80000000;
  return state;
}

/** Replace all N words by the next N. */
function twist(state) {
  for (let i = 0; i < N; i++) {
    const y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
    state[i] = state[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
  }
}

/** Integers of 32 bits, one a call. */
function twister(words) {
  const state = fromWords(words);
  let at = N;
  return () => {
    if (at === N) {
      twist(state);
      at = 0;
    }
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/**
 * A stream of random numbers; the same seed gives the same numbers everywhere.
 *
 * @param {number} seed a whole number, 0 or more
 * @returns {{ uniform: () => number, normal: () => number, below: (n: number) => number,
 *   shuffle: <T extends ArrayLike<any>>(array: T) => T }} uniform: in [0, 1), 53 bits. normal: mean 0,
 *   variance 1 (Box and Muller 1958). below: a whole number in [0, n), n at most 2³¹. shuffle: in place
 *   (Fisher and Yates).
 */
export function random(seed) {
  const high = Math.floor(seed / 2 ** 32);
  const bits = twister(high ? [seed >>> 0, high >>> 0] : [seed >>> 0]);
  let spare = null;

  const uniform = () => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;

  function normal() {
    if (spare !== null) {
      const z = spare;
      spare = null;
      return z;
    }
    const angle = uniform() * 2 * Math.PI;
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    spare = Math.sin(angle) * radius;
    return Math.cos(angle) * radius;
  }

  function below(n) {
    const drop = Math.clz32(n); // as many bits as n has; too large ones are drawn again
    let value = bits() >>> drop;
    while (value >= n) value = bits() >>> drop;
    return value;
  }

  function shuffle(array) {
    for (let i = array.length - 1; i > 0; i--) {
      const j = below(i + 1);
      const moved = array[i];
      array[i] = array[j];
      array[j] = moved;
    }
    return array;
  }

  return { uniform, normal, below, shuffle };
}
