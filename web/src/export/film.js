/** Frames as a GIF: one palette for all of them, and of each frame only what differs from the one before. */

import { applyPalette, GIFEncoder, quantize } from "gifenc";

/** Colours of a film; one more stands for "as before". */
const COLOURS = 240;
const FORMAT = "rgb565";

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
  return [...kept, ...quantize(all, COLOURS - kept.length, { format: FORMAT })];
}

/**
 * @param {{ width: number, height: number, palette: number[][] }} film
 * @returns {{ add: (pixels: Uint8ClampedArray, milliseconds: number) => void, finish: () => Uint8Array }}
 */
export function createFilm({ width, height, palette }) {
  const gif = GIFEncoder(), same = palette.length, table = [...palette, palette[0]];
  let before = null;
  const add = (pixels, milliseconds) => {
    const now = applyPalette(pixels, palette, FORMAT), frame = before ? now.map((v, k) => (v === before[k] ? same : v)) : now;
    // The frame before stays (dispose 1), and is seen through what is transparent.
    const first = before ? {} : { palette: table, repeat: 0 };
    gif.writeFrame(frame, width, height, { ...first, delay: milliseconds, transparent: true, transparentIndex: same, dispose: 1 });
    before = now;
  };
  const finish = () => {
    gif.finish();
    return gif.bytes();
  };
  return { add, finish };
}
