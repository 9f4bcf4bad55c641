/** The surface as heights on a grid: what the mesh shows, and what rays and trails meet. */

import { createHeights, HOLE, levelsBetween, RELIEF } from "../contour-levels.js";
import { HEIGHT } from "./camera.js";

/** Points of the mesh a side: an even number of cells, so that it can be drawn with every second point. */
export const SIDE = 151;
/** The longer side of the block is at most so much longer than the other. */
const LONGEST = 1.5;

/**
 * @param {object} surface
 * @returns {object} side lengths `sx` and `sy` of the block, heights and colours from 0 to 1, and ways
 *   between plane and block
 */
export function createField(surface) {
  const heights = createHeights(surface);
  const relief = createHeights(surface, RELIEF);
  const [x0, x1, y0, y1] = surface.box;
  const ratio = Math.min(Math.max((x1 - x0) / (y1 - y0), 1 / LONGEST), LONGEST);
  const sx = ratio > 1 ? 1 : ratio;
  const sy = ratio > 1 ? 1 / ratio : 1;
  const values = new Float32Array(SIDE * SIDE);
  const shares = new Float32Array(SIDE * SIDE);
  for (let i = 0, k = 0; i < SIDE; i++) {
    const y = y0 + ((y1 - y0) * i) / (SIDE - 1);
    for (let j = 0; j < SIDE; j++, k++) {
      const loss = surface.f(x0 + ((x1 - x0) * j) / (SIDE - 1), y);
      values[k] = Math.min(relief.shown(loss), 1);
      shares[k] = heights.shown(loss);
    }
  }
  const holes = mend(values, shares);
  const u = (x) => (x - x0) / (x1 - x0);
  const v = (y) => (y - y0) / (y1 - y0);
  return {
    surface,
    heights,
    sx,
    sy,
    values,
    shares,
    holes,
    u,
    v,
    levels: levelsBetween(heights, heights.low, heights.high).map(heights.share),
    place: (x, y) => [(u(x) - 0.5) * sx, (v(y) - 0.5) * sy, HEIGHT * heightAt(values, u(x), v(y))],
    plane: (bx, by) => [x0 + (bx / sx + 0.5) * (x1 - x0), y0 + (by / sy + 0.5) * (y1 - y0)],
    top: (bx, by) => HEIGHT * heightAt(values, bx / sx + 0.5, by / sy + 0.5),
  };
}

/** Gives places without a loss the height of a neighbour, so that the ground runs level to their border. */
function mend(values, shares) {
  let holes = false;
  for (let k = 0; k < values.length; k++) {
    if (shares[k] < HOLE) continue;
    holes = true;
    const known = [k - 1, k + 1, k - SIDE, k + SIDE].find((n) => shares[n] < HOLE);
    values[k] = known === undefined ? 0 : values[known];
  }
  return holes;
}

/** The height of the mesh at a share of its sides, as its triangles have it; the border goes on outside. */
function heightAt(values, u, v) {
  const a = Math.min(Math.max(u, 0), 1) * (SIDE - 1);
  const b = Math.min(Math.max(v, 0), 1) * (SIDE - 1);
  const j = Math.min(Math.floor(a), SIDE - 2);
  const i = Math.min(Math.floor(b), SIDE - 2);
  const s = a - j;
  const t = b - i;
  const k = i * SIDE + j;
  const p = values[k];
  const q = values[k + 1];
  const r = values[k + SIDE];
  const w = values[k + SIDE + 1];
  return s + t < 1 ? p + s * (q - p) + t * (r - p) : w + (1 - s) * (r - w) + (1 - t) * (q - w);
}

/** Where a ray meets the surface, as a place of the block, or null. */
export function meet(field, { from, along }) {
  const at = (t) => from.map((value, k) => value + t * along[k]);
  const { sx, sy } = field;
  const above = (t) => {
    const [x, y, z] = at(t);
    return z - field.top(x, y);
  };
  const [begin, end] = crossing(from, along, [sx / 2, sy / 2]);
  if (!(begin < end)) return null;
  const STEPS = 160;
  for (let k = 0; k < STEPS; k++) {
    let low = begin + ((end - begin) * k) / STEPS;
    let high = begin + ((end - begin) * (k + 1)) / STEPS;
    if (above(high) > 0) continue;
    for (let n = 0; n < 20; n++) {
      const middle = (low + high) / 2;
      if (above(middle) > 0) low = middle;
      else high = middle;
    }
    return at(high);
  }
  return null;
}

/** Between which lengths a ray is over the block and between its floor and its top. */
function crossing(from, along, [hx, hy]) {
  const slabs = [
    [-hx, hx],
    [-hy, hy],
    [-0.001, HEIGHT * 1.001],
  ];
  let [begin, end] = [0, Infinity];
  slabs.forEach(([low, high], k) => {
    const [a, b] = [(low - from[k]) / along[k], (high - from[k]) / along[k]].sort((p, q) => p - q);
    begin = Math.max(begin, a);
    end = Math.min(end, b);
  });
  return [begin, end];
}

/** Whether the surface hides a place of the block from the eye. */
export function isHidden(field, [x, y, z], eye) {
  const STEPS = 60;
  const way = [eye[0] - x, eye[1] - y, eye[2] - z];
  const reach = Math.min(1, (HEIGHT * 1.1 - z) / way[2]);
  for (let k = 2; k <= STEPS; k++) {
    const t = (reach * k) / STEPS;
    const [bx, by, bz] = [x + way[0] * t, y + way[1] * t, z + way[2] * t];
    if (Math.abs(bx) > field.sx / 2 || Math.abs(by) > field.sy / 2) return false;
    if (bz < field.top(bx, by) - 0.004) return true;
  }
  return false;
}
