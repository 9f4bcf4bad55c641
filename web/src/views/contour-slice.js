/** What only a measured slice has: the border of what was measured, and the path of the training run. */

import { haloOf } from "./contour-colours.js";

/** Draws the path of the run that a measured plane was made from, and veils what was not measured. */
export function drawSlicePath(ink, app, frame) {
  const { box, measured } = app.surface;
  const { colors } = app;
  if (measured) veil(ink, frame, box, colors);
  const path = (app.surface.path ?? []).filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  if (path.length < 2) return;
  const points = path.map(([x, y]) => [frame.px(x), frame.py(y)]);
  ink.save();
  ink.lineJoin = "round";
  for (const [width, colour] of [
    [4.4, haloOf(colors)],
    [1.8, colors.ink],
  ]) {
    ink.lineWidth = width;
    ink.strokeStyle = colour;
    ink.beginPath();
    points.forEach(([x, y], k) => (k ? ink.lineTo(x, y) : ink.moveTo(x, y)));
    ink.stroke();
  }
  for (const [[x, y], colour] of [
    [points[0], colors.page],
    [points[points.length - 1], colors.ink],
  ]) {
    ink.beginPath();
    ink.arc(x, y, 4, 0, 2 * Math.PI);
    ink.fillStyle = colour;
    ink.fill();
    ink.stroke();
  }
  ink.restore();
}

/** Covers what lies outside of the measured box. */
function veil(ink, { rect: { left, top, right, bottom }, px, py }, [x0, x1, y0, y1], colors) {
  ink.save();
  ink.beginPath();
  ink.rect(left, top, right - left, bottom - top);
  ink.rect(px(x0), py(y1), px(x1) - px(x0), py(y0) - py(y1));
  ink.fillStyle = colors.card;
  ink.fill("evenodd");
  ink.strokeStyle = colors.line;
  ink.strokeRect(px(x0), py(y1), px(x1) - px(x0), py(y0) - py(y1));
  ink.restore();
}
