// The picture of a phase map: an even ramp from a run that stalls to one that converges, and hatching for
// divergence.

import { linear } from "./colour.js";

/** Colours of a theme, from stalled to converged; their lightness in OKLab falls (or rises) evenly. */
const STOPS = {
  light: [
    [238, 241, 240],
    [134, 190, 176],
    [42, 125, 118],
    [7, 64, 74],
  ],
  dark: [
    [38, 44, 50],
    [35, 92, 92],
    [62, 158, 140],
    [176, 240, 212],
  ],
};
const DIVERGED = {
  light: [
    [243, 212, 203],
    [214, 150, 134],
  ],
  dark: [
    [74, 45, 44],
    [128, 74, 68],
  ],
};
const HATCH = 7; // pixels from line to line

const encoded = (v) => 255 * (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);

/** sRGB channels to OKLab. @param {number[]} rgb 0 to 255 */
export function oklab(rgb) {
  const [r, g, b] = rgb.map(linear);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromOklab([lightness, a, b]) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((v) => Math.round(Math.min(Math.max(encoded(Math.max(v, 0)), 0), 255)));
}

/** 256 colours, mixed in OKLab, as [r, g, b]. @param {boolean} dark */
export function ramp(dark) {
  const stops = (dark ? STOPS.dark : STOPS.light).map(oklab);
  return Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (stops.length - 1);
    const k = Math.min(Math.floor(at), stops.length - 2);
    return fromOklab(stops[k].map((v, j) => v + (stops[k + 1][j] - v) * (at - k)));
  });
}

/**
 * The pixels of a map, its first row below.
 * @param {{ values: Float64Array, columns: number, rows: number }} map
 * @param {number} best the value of the last colour
 * @param {number} width @param {number} height @param {boolean} dark @returns {Uint8ClampedArray} RGBA
 */
export function paint(map, best, width, height, dark) {
  const pixels = new Uint8ClampedArray(4 * width * height);
  const colors = ramp(dark);
  const bad = dark ? DIVERGED.dark : DIVERGED.light;
  for (let y = 0; y < height; y += 1) {
    const row = ((height - 1 - y + 0.5) / height) * map.rows - 0.5;
    for (let x = 0; x < width; x += 1) {
      const value = between(map, ((x + 0.5) / width) * map.columns - 0.5, row);
      if (Number.isNaN(value)) continue;
      const color = value === Infinity ? hatch(bad, x, y) : value > 0 ? bad[0] : colors[level(value, best)];
      const at = 4 * (y * width + x);
      pixels[at] = color[0]; // pixels.set(color, at) would be nearly half of the time
      pixels[at + 1] = color[1];
      pixels[at + 2] = color[2];
      pixels[at + 3] = 255;
    }
  }
  return pixels;
}

/** The diverged tone, with a diagonal line every few pixels. */
export const hatch = ([ground, stroke], x, y) => ((x + y) % HATCH < 1 ? stroke : ground);

/** The place of a value in the ramp: 0 for no progress, 255 for the best. */
export const level = (value, best) => Math.round(255 * Math.min(1, Math.max(0, value / (best || -1))));

/**
 * Above the loss at the start all is one colour: so that one high cell does not spread over its neighbours.
 */
const MOST = 0.5;

/** Bilinear between four cells that are finite, the nearest cell elsewhere. */
function between({ values, columns, rows }, x, y) {
  const [a, b] = [clamp(Math.floor(x), columns - 1), clamp(Math.floor(x) + 1, columns - 1)];
  const [c, d] = [clamp(Math.floor(y), rows - 1) * columns, clamp(Math.floor(y) + 1, rows - 1) * columns];
  const [u, v] = [x - Math.floor(x), y - Math.floor(y)];
  const at = (i) => (values[i] === Infinity ? NaN : Math.min(values[i], MOST));
  const low = at(c + a) * (1 - u) + at(c + b) * u;
  const mixed = low * (1 - v) + (at(d + a) * (1 - u) + at(d + b) * u) * v;
  return Number.isFinite(mixed) ? mixed : values[(v < 0.5 ? c : d) + (u < 0.5 ? a : b)];
}

const clamp = (i, last) => Math.min(Math.max(i, 0), last);

/** A CSS colour. @param {number[]} rgb */
export const css = (rgb) => `rgb(${rgb.join(" ")})`;

/** The two tones of divergence. */
export const diverged = (dark) => (dark ? DIVERGED.dark : DIVERGED.light);
