/** Frames as a GIF: one palette for all of them, and of each frame only what differs from the one before. */

import { GIFEncoder, quantize } from "gifenc";

/** Colours of a film; one more stands for "as before". */
const COLOURS = 255;

/**
 * The palette of a film: colours that must not be lost, and those that stand best for samples of its frames.
 * @param {Uint8ClampedArray[]} samples pixels, four bytes each
 * @param {number[][]} kept red, green and blue of each
 * @returns {number[][]}
 */
export function paletteOf(samples, kept) {
  const all = new Uint8ClampedArray(samples.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const sample of samples) {
    all.set(sample, at);
    at += sample.length;
  }
  return [...kept, ...quantize(all, COLOURS - kept.length, { format: "rgb565" })];
}

/**
 * @param {{ width: number, height: number, palette: number[][] }} film
 * @returns {{ add: (pixels: Uint8ClampedArray, milliseconds: number) => void, finish: () => Uint8Array }}
 */
export function createFilm({ width, height, palette }) {
  const gif = GIFEncoder();
  const same = palette.length;
  const table = [...palette, palette[0]];
  const nearest = nearestIn(palette);
  let before = null;
  const add = (pixels, milliseconds) => {
    const now = new Uint32Array(pixels.slice().buffer);
    const frame = new Uint8Array(now.length);
    for (let k = 0; k < now.length; k++) frame[k] = before && now[k] === before[k] ? same : nearest(now[k]);
    // The frame before stays (dispose 1), and is seen through what is transparent.
    const first = before ? {} : { palette: table, repeat: 0 };
    gif.writeFrame(frame, width, height, {
      ...first,
      delay: milliseconds,
      transparent: true,
      transparentIndex: same,
      dispose: 1,
    });
    before = now;
  };
  const finish = () => {
    gif.finish();
    return gif.bytes();
  };
  return { add, finish };
}

/**
 * The place in a palette of the colour nearest to a pixel, which is read as four bytes from the lowest on.
 */
function nearestIn(palette) {
  const known = new Map();
  const search = (pixel) => {
    const [r, g, b] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
    let best = 0;
    let least = Infinity;
    for (let k = 0; k < palette.length && least > 0; k++) {
      const [pr, pg, pb] = palette[k];
      const distance = 2 * (r - pr) ** 2 + 4 * (g - pg) ** 2 + 3 * (b - pb) ** 2;
      if (distance < least) [best, least] = [k, distance];
    }
    return best;
  };
  return (pixel) => {
    let found = known.get(pixel);
    if (found === undefined) known.set(pixel, (found = search(pixel)));
    return found;
  };
}
