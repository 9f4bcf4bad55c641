/** The ground of the contour view: a smooth fill and lines of equal loss, painted once and kept. */

import { contours } from "d3-contour";
import { groundPixels, SHADES } from "./contour-colours.js";
import { HOLE, levelsBetween } from "./contour-levels.js";

/** Values of the surface for the fill at most, when there is time and while the view moves. */
const FINE = 160_000;
const COARSE = 14_000;
/** Isolines need fewer values than the fill. */
const LINES = 60_000;
/** Rings with fewer points than this, on average, are crumbs. */
const CRUMB = 16;

/**
 * The heights of the shown part of the plane on a grid that reaches half a cell beyond each side.
 * @returns {{ values: Float64Array, columns: number, rows: number }}
 */
function heightsOnGrid(surface, heights, frame, columns, rows) {
  const [x0, x1, y0, y1] = frame.shown;
  const values = new Float64Array(columns * rows);
  const dx = (x1 - x0) / (columns - 1);
  const dy = (y1 - y0) / (rows - 1);
  for (let i = 0, k = 0; i < rows; i++) {
    const y = y1 - i * dy;
    for (let j = 0; j < columns; j++, k++) values[k] = heights.shown(surface.f(x0 + j * dx, y));
  }
  return { values, columns, rows };
}

function gridSize({ rect }, pixels, cells) {
  const width = (rect.right - rect.left) * pixels;
  const height = (rect.bottom - rect.top) * pixels;
  const cell = Math.max(2, Math.sqrt((width * height) / cells));
  return [Math.max(8, Math.round(width / cell)) + 1, Math.max(8, Math.round(height / cell)) + 1];
}

/** The grid as a picture with one pixel a value. */
function picture({ values, columns, rows }, { dark, faint }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, rows];
  const ink = canvas.getContext("2d");
  const image = ink.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = groundPixels(dark, faint);
  const last = SHADES - 1;
  for (let k = 0; k < values.length; k++)
    pixels[k] = colours[values[k] < HOLE ? Math.min(values[k] * last + 0.5, last) | 0 : SHADES];
  ink.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Lines of equal height through a grid, in CSS pixels.
 * @returns {{ level: number, lines: number[][][] }[]}
 */
function isolines(grid, heights, levels, frame) {
  const { left, right, top, bottom } = frame.rect;
  const kx = (right - left) / (grid.columns - 1);
  const ky = (bottom - top) / (grid.rows - 1);
  const contour = contours().size([grid.columns, grid.rows]);
  // A value stands at the middle of its cell, half a cell from where d3 counts.
  const place = ([u, v]) => [left + (u - 0.5) * kx, top + (v - 0.5) * ky];
  let above = Infinity;
  return [...levels]
    .reverse()
    .map((level) => {
      const rings = contour.contour(grid.values, heights.share(level)).coordinates.flat();
      const fell = torn(rings, above);
      above = rings.length;
      return { level, lines: fell ? [] : rings.map((ring) => ring.map(place)) };
    })
    .reverse();
}

/** In a valley narrower than the grid a line falls apart into crumbs, which say nothing. */
function torn(rings, above) {
  const size = rings.reduce((sum, ring) => sum + ring.length, 0) / rings.length;
  return rings.length > 3 && (size < CRUMB || (size < 4 * CRUMB && rings.length > 3 * above));
}

/** Every second value of a grid in each direction, where the grid is finer than its lines need. */
function thinned(grid) {
  if (grid.values.length <= LINES) return grid;
  const columns = (grid.columns + 1) >> 1;
  const rows = (grid.rows + 1) >> 1;
  const values = new Float64Array(columns * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) values[i * columns + j] = grid.values[2 * i * grid.columns + 2 * j];
  }
  return { values, columns, rows };
}

/**
 * Computes the ground of a frame.
 * @param {object} surface
 * @param {ReturnType<import("./contour-levels.js").createHeights>} heights
 * @param {ReturnType<import("./contour-frame.js").createFrame>} frame
 * @param {{ colors: object, pixels: number, fine: boolean }} options pixels: device pixels a CSS pixel
 * @returns {{ picture: HTMLCanvasElement, lines: { level: number, lines: number[][][] }[] }}
 */
export function computeGround(surface, heights, frame, { colors, pixels, fine }) {
  let [columns, rows] = gridSize(frame, pixels, fine ? FINE : COARSE);
  // Odd numbers, so that every second value includes both borders.
  columns |= 1;
  rows |= 1;
  const grid = heightsOnGrid(surface, heights, frame, columns, rows);
  const [from, to] = range(surface, frame);
  const levels = levelsBetween(heights, from, to);
  return { picture: picture(grid, colors), lines: isolines(thinned(grid), heights, levels, frame) };
}

/** The lowest and the highest loss that is shown. */
function range(surface, { shown: [x0, x1, y0, y1] }) {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i <= 40; i++) {
    for (let j = 0; j <= 40; j++) {
      const loss = surface.f(x0 + ((x1 - x0) * j) / 40, y0 + ((y1 - y0) * i) / 40);
      if (loss < low) low = loss;
      if (loss > high && loss < Infinity) high = loss;
    }
  }
  return [low, high];
}

/** Draws the ground into its frame: the fill, and the lines over it. */
export function drawGround(ink, { picture: image, lines }, frame, colors, fine = true) {
  const { left, top, right, bottom } = frame.rect;
  const { width, height } = image;
  ink.save();
  ink.imageSmoothingEnabled = true;
  // The best quality takes longer than all the rest.
  ink.imageSmoothingQuality = fine ? "high" : "low";
  // The outer values stand on the border, so half of their pixels lies beyond it.
  ink.drawImage(image, 0.5, 0.5, width - 1, height - 1, left, top, right - left, bottom - top);
  ink.lineWidth = 0.9;
  ink.strokeStyle = colors.ink;
  ink.globalAlpha = colors.dark ? 0.26 : 0.24;
  for (const { lines: rings } of lines) {
    ink.beginPath();
    for (const ring of rings) ring.forEach(([x, y], k) => (k ? ink.lineTo(x, y) : ink.moveTo(x, y)));
    ink.stroke();
  }
  ink.restore();
}
