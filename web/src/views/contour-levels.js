/** Heights: how a loss becomes a height and a colour, and on which levels lines are drawn. */

import { ticks } from "./chart-scale.js";

/** A surface is sampled on so many points a side to find its range. */
const SAMPLES = 64;
/** On the logarithmic scale, losses this share of the median above the lowest are still told apart well. */
const SHIFT = 0.005;
/** A relief with this share has walls and floors; with the one above it would have needles. */
export const RELIEF = 0.15;

/** Stands for the height of a place without a loss, such as the logarithm of a negative number. */
export const HOLE = 2;
/** What is higher than the box of the surface needs no more than this. */
const CEILING = 1.2;

/**
 * The scale of heights of a surface: `share(loss)` is 0 at the lowest loss of its box and 1 at the highest;
 * `shown(loss)` is that within bounds, or `HOLE`.
 * @param {{ f: (x: number, y: number) => number, box: number[], minima: number[][], height: string }} surface
 * @param {number} [shade] where the logarithmic scale turns linear, as a share of the median
 * @returns {{ low: number, high: number, log: boolean, share: (loss: number) => number, shown: (loss: number)
 *   => number }}
 */
export function createHeights(surface, shade = SHIFT) {
  const values = sampled(surface);
  const low = values[0] ?? 0;
  const top = values[values.length - 1] ?? 1;
  const high = top > low ? top : low + 1;
  const log = surface.height === "log";
  const shift = Math.max((values[values.length >> 1] - low) * shade, (high - low) * 1e-9);
  const unit = 1 / Math.log1p((high - low) / shift);
  const share = log
    ? (loss) => Math.log1p((loss - low) / shift) * unit
    : (loss) => (loss - low) / (high - low);
  const shown = (loss) => (loss === loss ? Math.min(loss < low ? 0 : share(loss), CEILING) : HOLE);
  return { low, high, log, share, shown };
}

function sampled({ f, box: [x0, x1, y0, y1], minima }) {
  const values = [];
  for (let i = 0; i < SAMPLES; i++) {
    for (let j = 0; j < SAMPLES; j++) {
      values.push(f(x0 + ((x1 - x0) * (j + 0.5)) / SAMPLES, y0 + ((y1 - y0) * (i + 0.5)) / SAMPLES));
    }
  }
  for (const [x, y] of minima) if (x >= x0 && x <= x1 && y >= y0 && y <= y1) values.push(f(x, y));
  return Float64Array.from(values.filter(Number.isFinite)).sort();
}

/**
 * The losses at which lines are drawn between two losses: round numbers, about evenly spaced in height.
 * @param {{ low: number, log: boolean }} heights
 */
export function levelsBetween(heights, from, to, about = 14) {
  if (!heights.log) return ticks(from, to, about).filter((v) => v > from && v < to);
  const near = Math.max(from - heights.low, (to - heights.low) * 1e-6);
  const far = to - heights.low;
  const decades = Math.log10(far / near);
  if (decades < 1) return ticks(from, to, about).filter((v) => v > from && v < to);
  const digits = decades * 3 <= about ? [1, 2, 5] : decades * 2 <= about * 1.2 ? [1, 3] : [1];
  const levels = [];
  for (let k = Math.floor(Math.log10(near)); k <= Math.log10(far); k++) {
    for (const digit of digits) {
      const above = digit * 10 ** k;
      if (above > near && above < far) levels.push(told(heights.low, above));
    }
  }
  return levels;
}

/** A level in two digits, where that moves it little compared with its height above the lowest loss. */
function told(low, above) {
  const level = low + above;
  const short = Number(level.toPrecision(2));
  return Math.abs(short - level) < 0.2 * above ? short : level;
}
