/** The start and the step that is pointed at, as drawn on the ground. */

import { haloOf } from "./contour-colours.js";

/**
 * The ring keeps this distance from the border, so that a start outside of the picture can be fetched back.
 */
const INSIDE = 18;

/** Where the ring around the start is on the canvas; `out` if the start itself is not in the picture. */
export function startPlace({ state: { start } }, { px, py, rect: { left, top, right, bottom }, contains }) {
  const x = px(start[0]);
  const y = py(start[1]);
  if (contains(x, y)) return { x, y, out: false };
  const [ix, iy] = [within(x, left + INSIDE, right - INSIDE), within(y, top + INSIDE, bottom - INSIDE)];
  return { x: ix, y: iy, out: true };
}

const within = (v, low, high) => Math.min(Math.max(v, low), high);

/**
 * Where the ring is on the surface in three dimensions: a start beside the surface has it on the border.
 * @param {object} app
 * @param {(x: number, y: number) => number[]} at where a place of the plane is on the canvas
 * @param {{ width: number, height: number }} size
 */
export function startPlaceOn({ state: { start }, surface: { box } }, at, { width, height }) {
  const beside = [within(start[0], box[0], box[1]), within(start[1], box[2], box[3])];
  const [x, y] = at(...beside);
  const place = { x: within(x, INSIDE, width - INSIDE), y: within(y, INSIDE, height - INSIDE) };
  const out = beside.some((v, k) => v !== start[k]) || place.x !== x || place.y !== y;
  return { ...place, out };
}

/** The room of the ring around the start, for labels to avoid. */
export const roomOf = ({ x, y }) => ({ x: x - 13, y: y - 13, width: 26, height: 26 });

/** The ring around the start; the racers set out from its middle. */
export function drawStart(ink, app, { x, y, out }) {
  ink.globalAlpha = out ? 0.5 : 1;
  drawRing(ink, app.colors, x, y);
  ink.globalAlpha = 1;
}

/** A ring that can be taken hold of, at a place of the canvas. */
function drawRing(ink, colors, x, y) {
  ink.save();
  ink.beginPath();
  ink.arc(x, y, 11, 0, 2 * Math.PI);
  ink.lineWidth = 6.5;
  ink.strokeStyle = haloOf(colors);
  ink.stroke();
  ink.lineWidth = 3;
  ink.strokeStyle = colors.ink;
  ink.stroke();
  ink.beginPath();
  ink.arc(x, y, 2.6, 0, 2 * Math.PI);
  ink.lineWidth = 3;
  ink.strokeStyle = haloOf(colors);
  ink.stroke();
  ink.fillStyle = colors.ink;
  ink.fill();
  ink.restore();
}

/** The step that is pointed at, on the stage, in a chart or in the inspector. */
export function drawHover(ink, app, { px, py, contains }) {
  const { hover, colors } = app;
  const path = hover && app.paths[hover.racer];
  if (!path || app.state.racers[hover.racer]?.hidden) return;
  const k = Math.min(hover.step, path.x.length - 1);
  const x = px(path.x[k]);
  const y = py(path.y[k]);
  if (!contains(x, y)) return;
  ink.save();
  for (const [width, colour] of [
    [5.5, haloOf(colors)],
    [2.4, colors.ink],
  ]) {
    ink.beginPath();
    ink.arc(x, y, 7.5, 0, 2 * Math.PI);
    ink.lineWidth = width;
    ink.strokeStyle = colour;
    ink.stroke();
  }
  ink.restore();
}
