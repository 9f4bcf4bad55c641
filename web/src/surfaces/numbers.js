// What several surfaces compute.

/** 1 / (1 + e^-z), without overflow for any z. */
export function sigmoid(z) {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const e = Math.exp(z);
  return e / (1 + e);
}

/** log(1 + e^z), exact for large and small z. */
export function softplus(z) {
  return z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z));
}

/**
 * The scale on which the levels of a function show most: "log" where a few places tower over the rest.
 *
 * @param {(x: number, y: number) => number} f
 * @param {[number, number, number, number]} box
 * @returns {"log"|"linear"}
 */
export function heightOf(f, [x0, x1, y0, y1]) {
  const found = [];
  for (let i = 0; i < 24; i++) {
    for (let j = 0; j < 24; j++) {
      const value = f(x0 + ((i + 0.5) / 24) * (x1 - x0), y0 + ((j + 0.5) / 24) * (y1 - y0));
      if (Number.isFinite(value)) found.push(value);
    }
  }
  found.sort((a, b) => a - b);
  const at = (share) => found[Math.floor(share * (found.length - 1))] - found[0];
  return at(0.95) > 8 * at(0.3) ? "log" : "linear";
}
