// A table of values on an even grid as a smooth function: bicubic Hermite interpolation. Slopes at the grid
// points are differences of second order, also at the edges, so that it goes through every value, its
// gradient has no jump, and a quadratic comes out exactly.

/** Slopes along one axis of a table stored row by row, in units of a cell; NaN where a value is missing. */
function slopes(values, columns, rows, alongX) {
  const stride = alongX ? 1 : columns;
  const size = alongX ? columns : rows;
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const position = alongX ? i % columns : Math.floor(i / columns);
    const at = (step) => (position + step >= 0 && position + step < size ? values[i + step * stride] : NaN);
    result[i] = slope(at(-2), at(-1), at(0), at(1), at(2));
  }
  return result;
}

/** The slope in the middle of five values, of which some may be missing (NaN). */
function slope(before2, before, middle, after, after2) {
  if (Number.isNaN(middle)) return NaN;
  const both = (after - before) / 2;
  if (!Number.isNaN(both)) return both;
  const right = (-3 * middle + 4 * after - after2) / 2;
  if (!Number.isNaN(right)) return right;
  const left = (3 * middle - 4 * before + before2) / 2;
  if (!Number.isNaN(left)) return left;
  if (!Number.isNaN(after)) return after - middle;
  return Number.isNaN(before) ? 0 : middle - before;
}

/**
 * @param {number[]} xs where the columns are, evenly spaced, rising
 * @param {number[]} ys where the rows are
 * @param {(number|null)[][]} losses a row for each y; null where there is none
 * @returns {{ f: (x: number, y: number) => number,
 *   gradient: (p: ArrayLike<number>, out: Float64Array) => void, inside: (x: number, y: number) => boolean }}
 *   inside: on the grid, in a cell with all four values; elsewhere f is NaN and so is its gradient
 */
export function bicubic(xs, ys, losses) {
  const columns = xs.length;
  const rows = ys.length;
  const table = Float64Array.from(losses.flat(), (value) => value ?? NaN);
  const byX = slopes(table, columns, rows, true);
  const byY = slopes(table, columns, rows, false);
  const byXY = slopes(byX, columns, rows, false);
  const [left, bottom] = [xs[0], ys[0]];
  const width = (xs[columns - 1] - left) / (columns - 1);
  const height = (ys[rows - 1] - bottom) / (rows - 1);
  // Of the cell that was looked at last: its lower left corner, and the position in it from 0 to 1.
  let corner = 0;
  let s = 0;
  let t = 0;
  const ax = new Float64Array(4); // the four cubics of an axis: value at both ends, slope at both ends
  const ay = new Float64Array(4);

  function find(x, y) {
    const u = (x - left) / width;
    const v = (y - bottom) / height;
    const i = Math.min(Math.max(Math.floor(u), 0), columns - 2);
    const j = Math.min(Math.max(Math.floor(v), 0), rows - 2);
    corner = j * columns + i;
    s = u - i;
    t = v - j;
    const slack = 1e-9; // the last column counts as inside whichever way its position was rounded
    return s >= -slack && s <= 1 + slack && t >= -slack && t <= 1 + slack;
  }

  /** Along x from grid point k to the next: values and their slopes, weighted by the cubics in ax. */
  const row = (k, value, slope) =>
    ax[0] * value[k] + ax[1] * value[k + 1] + ax[2] * slope[k] + ax[3] * slope[k + 1];

  /** The same along y, of the lower and the upper edge of the cell. */
  function weigh() {
    const above = corner + columns;
    const values = ay[0] * row(corner, table, byX) + ay[1] * row(above, table, byX);
    return values + ay[2] * row(corner, byY, byXY) + ay[3] * row(above, byY, byXY);
  }

  /** NaN where a corner of the cell is missing. */
  const complete = () =>
    table[corner] + table[corner + 1] + table[corner + columns] + table[corner + columns + 1];

  return {
    inside: (x, y) => find(x, y) && !Number.isNaN(complete()),
    f(x, y) {
      if (!find(x, y)) return NaN;
      values(s, ax);
      values(t, ay);
      return weigh();
    },
    gradient(p, out) {
      if (!find(p[0], p[1])) {
        out.fill(NaN);
        return;
      }
      derivatives(s, ax);
      values(t, ay);
      out[0] = weigh() / width;
      values(s, ax);
      derivatives(t, ay);
      out[1] = weigh() / height;
    },
  };
}

/** The cubic Hermite polynomials at s. */
function values(s, out) {
  out[1] = s * s * (3 - 2 * s);
  out[0] = 1 - out[1];
  out[2] = s * (1 - s) * (1 - s);
  out[3] = s * s * (s - 1);
}

/** Their derivatives. */
function derivatives(s, out) {
  out[1] = 6 * s * (1 - s);
  out[0] = -out[1];
  out[2] = (1 - s) * (1 - 3 * s);
  out[3] = s * (3 * s - 2);
}
