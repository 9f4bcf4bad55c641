/** The start and the step that is pointed at, as drawn on the ground. */

import { haloOf } from "./contour-colours.js";

/** The ring around the start; the racers set out from its middle. */
export function drawStart(ink, app, { px, py }) {
  drawRing(ink, app.colors, px(app.state.start[0]), py(app.state.start[1]));
}

/** A ring that can be taken hold of, at a place of the canvas. */
export function drawRing(ink, colors, x, y) {
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
  const { hover, colors } = app, path = hover && app.paths[hover.racer];
  if (!path || app.state.racers[hover.racer]?.hidden) return;
  const k = Math.min(hover.step, path.x.length - 1), x = px(path.x[k]), y = py(path.y[k]);
  if (!contains(x, y)) return;
  ink.save();
  for (const [width, colour] of [[5.5, haloOf(colors)], [2.4, colors.ink]]) {
    ink.beginPath();
    ink.arc(x, y, 7.5, 0, 2 * Math.PI);
    ink.lineWidth = width;
    ink.strokeStyle = colour;
    ink.stroke();
  }
  ink.restore();
}
