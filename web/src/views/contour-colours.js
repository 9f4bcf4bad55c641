/**
 * The colours of the ground. They are quieter than those of a chart, so that ten trails read on them: in the
 * light theme they are those of a map, from water to sand; in the dark theme the lowest places are darkest.
 */

import { channels, mix } from "./colour.js";

const LIGHT = ["#79b0ca", "#9fcbd5", "#c2dfd7", "#dce9d6", "#ebebd5", "#f2e8cd", "#f3e3c4"];
const DARK = ["#06131b", "#0a1e28", "#112933", "#19353c", "#224145", "#2d4d4e", "#3a5957"];
/** So many colours are told apart; more cannot be seen. */
export const SHADES = 512;

/** The anchors of the ground in a theme, lowest first. */
const groundAnchors = (dark) => (dark ? DARK : LIGHT);

/** The colour of a height from 0 to 1, as #rrggbb. */
export function groundColour(share, dark) {
  const anchors = groundAnchors(dark);
  const at = Math.min(Math.max(share, 0), 1) * (anchors.length - 1);
  const k = Math.min(Math.floor(at), anchors.length - 2);
  return mix(anchors[k], anchors[k + 1], at - k);
}

/**
 * The colours of evenly spaced heights as the 32-bit pixels of an ImageData; one more for places without a
 * loss.
 */
export function groundPixels(dark, hole) {
  const pixels = new Uint32Array(SHADES + 1);
  const bytes = new Uint8ClampedArray(pixels.buffer);
  for (let k = 0; k < SHADES; k++) bytes.set([...channels(groundColour(k / (SHADES - 1), dark)), 255], 4 * k);
  bytes.set([...channels(hole), 255], 4 * SHADES);
  return pixels;
}

/** The colour of the middle of the ground, into which what steps back is mixed. */
export const groundOf = ({ dark }) => groundAnchors(dark)[3];

/** The rim around trails and marks that sets them off from the ground and from each other. */
export const haloOf = ({ dark }) => (dark ? "#08131a" : "#ffffff");
