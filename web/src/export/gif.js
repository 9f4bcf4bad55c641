/** The race as a film. */

import { channels } from "../views/colour.js";
import { groundColour } from "../views/contour-colours.js";
import { createFilm, paletteOf } from "./film.js";
import { createSheet } from "./sheet.js";

const WIDTH = 640;
const STAGE = 440;
const FRAMES = 96;
const DELAY = 60;
/** The end stays this long before the film begins again, in milliseconds. */
const END = 1800;
/** Every so manieth pixel is a sample for the palette. */
const SAMPLE = 3;
/** Shades of the ground. */
const SHADES = 120;

const pause = () => new Promise((resolve) => setTimeout(resolve));

/**
 * The playing of the current stage view, from the first step to the last. Frames are drawn one at a time with
 * pauses, so that the page stays alive.
 * @param {object} app
 * @param {{ progress?: (share: number) => void, signal?: AbortSignal }} [options]
 * @returns {Promise<Blob>} a GIF that repeats
 */
export async function gif(app, { progress = () => {}, signal } = {}) {
  const sheet = createSheet(app, { width: WIDTH, stage: STAGE, ratio: 1 });
  const { canvas } = sheet;
  const { steps } = app.state;
  const frame = (step) => {
    sheet.paint(step);
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  };
  try {
    const samples = [];
    for (const share of [0, 0.5, 1]) {
      samples.push(thinned(frame(share * steps)));
      await pause();
    }
    const film = createFilm({
      width: canvas.width,
      height: canvas.height,
      palette: paletteOf(samples, colours(app)),
    });
    for (let k = 0; k < FRAMES; k++) {
      film.add(frame((steps * k) / (FRAMES - 1)), k < FRAMES - 1 ? DELAY : END);
      progress((k + 1) / FRAMES);
      await pause();
      signal?.throwIfAborted();
    }
    return new Blob([film.finish()], { type: "image/gif" });
  } finally {
    sheet.destroy();
  }
}

/**
 * Colours that cover little but must stay true, and, on the contour view, those of the ground in fine steps.
 */
function colours({ colors, state }) {
  const few = [
    colors.page,
    colors.ink,
    colors.soft,
    colors.line,
    ...state.racers.map(({ hue }) => colors.hues[hue]),
  ];
  const shades = state.view.stage === "surface" ? 0 : SHADES;
  const ground = Array.from({ length: shades }, (_, k) => groundColour(k / (shades - 1), colors.dark));
  return [...new Set([...few, ...ground])].map(channels);
}

function thinned(pixels) {
  const all = new Uint32Array(pixels.buffer);
  const few = new Uint32Array(Math.floor(all.length / SAMPLE));
  for (let k = 0; k < few.length; k++) few[k] = all[k * SAMPLE];
  return new Uint8ClampedArray(few.buffer);
}
