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
 * Interpolates a table. In a cell without all four values f is NaN. Beside the grid f is that of the nearest
 * point of it, so that a trail that leaves can be drawn, and there is no gradient.
 */
export class Bicubic {
  /**
   * @param {number[]} xs where the columns are, evenly spaced, rising
   * @param {number[]} ys where the rows are
   * @param {(number|null)[][]} losses a row for each y; null where there is none
   */
  constructor(xs, ys, losses) {
    this.columns = xs.length;
    this.rows = ys.length;
    [this.left, this.right] = [xs[0], xs[this.columns - 1]];
    [this.bottom, this.top] = [ys[0], ys[this.rows - 1]];
    this.width = (this.right - this.left) / (this.columns - 1); // of a cell
    this.height = (this.top - this.bottom) / (this.rows - 1);
    this.table = Float64Array.from(losses.flat(), (value) => value ?? NaN);
    this.byX = slopes(this.table, this.columns, this.rows, true);
    this.byY = slopes(this.table, this.columns, this.rows, false);
    this.byXY = slopes(this.byX, this.columns, this.rows, false);
    // Of the cell that was looked at last: its lower left corner, and the position in it from 0 to 1.
    this.corner = 0;
    this.s = 0;
    this.t = 0;
    this.ax = new Float64Array(4); // the four cubics of an axis: value at both ends, slope at both ends
    this.ay = new Float64Array(4);
  }

  /** Goes to the cell of a point; false where there is none. */
  find(x, y) {
    const u = (x - this.left) / this.width;
    const v = (y - this.bottom) / this.height;
    const i = Math.min(Math.max(Math.floor(u), 0), this.columns - 2);
    const j = Math.min(Math.max(Math.floor(v), 0), this.rows - 2);
    this.corner = j * this.columns + i;
    this.s = u - i;
    this.t = v - j;
    const low = -1e-9; // the last column counts as inside whichever way its position was rounded
    return this.s >= low && this.s <= 1 - low && this.t >= low && this.t <= 1 - low;
  }

  /** Whether a point is in a cell with all four values. */
  inside(x, y) {
    if (!this.find(x, y)) return false;
    const { table, corner, columns } = this;
    const sum = table[corner] + table[corner + 1] + table[corner + columns] + table[corner + columns + 1];
    return !Number.isNaN(sum);
  }

  /** Along x from grid point k to the next: values and their slopes, weighted by the cubics in ax. */
  row(k, value, slope) {
    const { ax } = this;
    return ax[0] * value[k] + ax[1] * value[k + 1] + ax[2] * slope[k] + ax[3] * slope[k + 1];
  }

  /** The same along y, of the lower and the upper edge of the cell. */
  weigh() {
    const { ay, corner, table, byX, byY, byXY } = this;
    const above = corner + this.columns;
    const values = ay[0] * this.row(corner, table, byX) + ay[1] * this.row(above, table, byX);
    return values + ay[2] * this.row(corner, byY, byXY) + ay[3] * this.row(above, byY, byXY);
  }

  f(x, y) {
    this.find(Math.min(Math.max(x, this.left), this.right), Math.min(Math.max(y, this.bottom), this.top));
    values(this.s, this.ax);
    values(this.t, this.ay);
    return this.weigh();
  }

  gradient(p, out) {
    if (!this.find(p[0], p[1])) {
      out.fill(NaN);
      return;
    }
    derivatives(this.s, this.ax);
    values(this.t, this.ay);
    out[0] = this.weigh() / this.width;
    values(this.s, this.ax);
    derivatives(this.t, this.ay);
    out[1] = this.weigh() / this.height;
  }
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
