/** A racer's trail as lines on a canvas: clipped to the picture, and no finer than it can show. */

import { Straight } from "./straight.js";

/** Lines reach this far out of the picture, in CSS pixels, so that their ends are not seen. */
const MARGIN = 12;
/** Steps that move the trail by less are drawn with the next one. */
const FINEST = 0.6;
/** Software rendering strokes many short lines faster than one long one. */
const CHUNK = 80;

/**
 * The part of a segment within the margin of the picture, or null: Liang and Barsky's clipping.
 * @returns {number[]|null} [x0, y0, x1, y1]
 */
export function clipped(x0, y0, x1, y1, { left, top, right, bottom }, margin = MARGIN) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  let from = 0;
  let to = 1;
  const sides = [
    [-dx, x0 - left + margin],
    [dx, right + margin - x0],
    [-dy, y0 - top + margin],
    [dy, bottom + margin - y0],
  ];
  for (const [p, q] of sides) {
    if (!(p === p && q === q)) return null;
    if (p === 0 && q < 0) return null;
    if (p < 0) from = Math.max(from, q / p);
    if (p > 0) to = Math.min(to, q / p);
  }
  return from < to ? [x0 + from * dx, y0 + from * dy, x0 + to * dx, y0 + to * dy] : null;
}

/**
 * The pieces of a trail between two steps, for `strokePieces`.
 * @param {{ x: Float64Array, y: Float64Array }} path
 * @param {object} frame
 * @param {number} from the first step
 * @param {number} to the last step; a fraction ends inside a segment
 * @param {number} along the length in pixels of the trail before, for dashes
 * @returns {{ pieces: Float64Array, count: number, along: number }} four numbers and the length before a
 *   piece
 */
export function trailPieces(path, frame, from, to, along = 0) {
  const { left, top, right, bottom } = frame.rect;
  const { px, py, atHome, contains } = frame;
  const last = Math.min(Math.ceil(to), path.x.length - 1);
  const pieces = new Float64Array(5 * Math.max(0, last - from));
  let count = 0;
  let length = along;
  let ax = px(path.x[from]);
  let ay = py(path.y[from]);
  for (let k = from + 1; k <= last; k++) {
    let bx = px(path.x[k]);
    let by = py(path.y[k]);
    if (k > to) [bx, by] = [ax + (bx - ax) * (to - k + 1), ay + (by - ay) * (to - k + 1)];
    const size = Math.abs(bx - ax) + Math.abs(by - ay);
    if (size < FINEST && k < last) continue;
    const inside =
      ax > left &&
      ax < right &&
      ay > top &&
      ay < bottom &&
      bx > left &&
      bx < right &&
      by > top &&
      by < bottom;
    // What runs to and fro far outside of the surface only hides the others.
    const near = inside || contains(ax, ay) || contains(bx, by) || atHome(ax, ay) || atHome(bx, by);
    const piece = near && !inside ? clipped(ax, ay, bx, by, frame.rect) : null;
    if (inside || piece) {
      pieces.set(piece ?? [ax, ay, bx, by], 5 * count);
      pieces[5 * count + 4] = length;
      count++;
    }
    length += size;
    ax = bx;
    ay = by;
  }
  return { pieces, count, along: length };
}

/** Pieces that join and lie on a straight line become one. */
export function merged({ pieces, count }) {
  const found = new Float64Array(5 * count);
  const straight = new Straight();
  let last = -5;
  for (let at = 0; at < 5 * count; at += 5) {
    const joined = at && pieces[at] === pieces[at - 3] && pieces[at + 1] === pieces[at - 2];
    if (!joined || !straight.reaches(pieces[at + 2], pieces[at + 3])) {
      last += 5;
      for (let k = 0; k < 5; k++) found[last + k] = pieces[at + k];
      straight.begin(pieces[at], pieces[at + 1]);
      straight.reaches(pieces[at + 2], pieces[at + 3]);
    }
    found[last + 2] = pieces[at + 2];
    found[last + 3] = pieces[at + 3];
  }
  return { pieces: found, count: (last + 5) / 5 };
}

/** Strokes pieces with the pen that is set; with a dash, its pattern goes on where the trail before ended. */
export function strokePieces(ink, { pieces, count }, dashed) {
  for (let first = 0; first < count; first += CHUNK) {
    // One piece of the chunk before is drawn again, so that the join is round.
    const start = Math.max(0, first - 1);
    const end = Math.min(count, first + CHUNK);
    ink.beginPath();
    let x = NaN;
    let y = NaN;
    for (let k = start; k < end; k++) {
      const at = 5 * k;
      if (pieces[at] !== x || pieces[at + 1] !== y) ink.moveTo(pieces[at], pieces[at + 1]);
      x = pieces[at + 2];
      y = pieces[at + 3];
      ink.lineTo(x, y);
    }
    if (dashed) ink.lineDashOffset = pieces[5 * start + 4];
    ink.stroke();
  }
}
