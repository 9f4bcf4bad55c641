// The part of a chart that sees every value: thinning curves to the pixels there are, and finding their
// ranges.

/**
 * A curve thinned to columns of pixels: the lowest and the highest value of each, in their order, so that no
 * spike is lost; of the whole, the first and the last too. A gap (a value that is not finite) starts a new
 * piece.
 * @param {ArrayLike<number>} values @param {number} width in pixels, of all values
 * @returns {number[][]} pieces, each [index, value, index, value, ...]
 */
export function thin(values, width) {
  const each = values.length / Math.max(width, 1);
  return each <= 2 ? pieces(values) : columns(values, each);
}

function pieces(values) {
  const found = [];
  let piece = null;
  for (let i = 0; i < values.length; i += 1) {
    if (!Number.isFinite(values[i])) piece = null;
    else if (piece) piece.push(i, values[i]);
    else found.push((piece = [i, values[i]]));
  }
  return found;
}

function columns(values, each) {
  const found = [];
  let piece = null;
  let i = 0;
  for (let column = 1; i < values.length; column += 1) {
    const end = Math.min(values.length, Math.ceil(column * each));
    while (i < end) {
      const first = i;
      let [low, high] = [i, i];
      for (; i < end && isFinite(values[i]); i += 1) {
        if (values[i] < values[low]) low = i;
        else if (values[i] > values[high]) high = i;
      }
      if (i > first) {
        if (!piece) found.push((piece = [first, values[first]]));
        add(piece, values, Math.min(low, high));
        add(piece, values, Math.max(low, high));
      }
      if (i < end) {
        if (piece) add(piece, values, i - 1);
        piece = null;
        i += 1;
      }
    }
  }
  if (piece) add(piece, values, values.length - 1);
  return found;
}

/** Append a point that lies behind the last one. */
function add(piece, values, i) {
  if (i > piece[piece.length - 2]) piece.push(i, values[i]);
}

/** The index of the last finite value, or -1. @param {ArrayLike<number>} values */
export function lastFinite(values) {
  let i = values.length - 1;
  while (i >= 0 && !Number.isFinite(values[i])) i -= 1;
  return i;
}

/**
 * The lowest and highest finite value, of those above a bound.
 * @param {ArrayLike<number>} values @param {number} [above] @returns {[number, number]} [∞, -∞] for none
 */
export function range(values, above = -Infinity) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (value > above && value < Infinity) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
}

const SAMPLES = 64;

/** At most 64 of the values, evenly spaced. @param {Float64Array} values @returns {number[]} */
export function sampled(values) {
  const each = Math.max(1, values.length / SAMPLES);
  return Array.from({ length: Math.min(values.length, SAMPLES) }, (_, i) => values[Math.floor(i * each)]);
}
