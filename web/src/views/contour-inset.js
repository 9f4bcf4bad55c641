/**
 * The data of a regression in a corner of the contour view, with the line of each racer where it stands now.
 */

import { font } from "./text.js";
import { paintOrder, penOf } from "./trails.js";

const GAP = 10;
const CAPTION = 19;

/** The rectangle of the inset, in a corner without the start. */
function insetRect({ left, top, right, bottom }, [sx, sy]) {
  const width = Math.min(190, (right - left) * 0.32);
  const height = width * 0.72;
  const corners = [
    [right - GAP - width, top + GAP],
    [right - GAP - width, bottom - GAP - height],
    [left + GAP, top + GAP],
  ];
  const free = ([x, y]) => sx < x - 24 || sx > x + width + 24 || sy < y - 24 || sy > y + height + 24;
  const [x, y] = corners.find(free) ?? corners[0];
  return { x, y, width, height };
}

/** Draws the inset, if the surface is made from data. */
export function drawInset(ink, app, frame) {
  const { points } = app.surface;
  const { colors, state } = app;
  if (!points) return null;
  const rect = insetRect(frame.rect, [frame.px(state.start[0]), frame.py(state.start[1])]);
  const map = mapping(points, rect);
  ink.save();
  ink.beginPath();
  ink.roundRect(rect.x, rect.y, rect.width, rect.height, 6);
  ink.fillStyle = colors.page;
  ink.fill();
  ink.strokeStyle = colors.line;
  ink.lineWidth = 1;
  ink.stroke();
  ink.clip();
  drawPoints(ink, points, map, colors);
  for (const index of paintOrder(app)) drawModel(ink, app, index, map, rect);
  drawCaption(ink, rect, points[0].label === undefined ? "data and lines" : "data and boundaries", colors);
  ink.restore();
  return rect;
}

function drawCaption(ink, { x, y, width, height }, text, colors) {
  ink.fillStyle = colors.page;
  ink.fillRect(x, y + height - CAPTION, width, CAPTION);
  ink.font = font(11);
  ink.fillStyle = colors.soft;
  ink.textAlign = "left";
  ink.textBaseline = "middle";
  ink.fillText(text, x + 8, y + height - CAPTION / 2 - 1, width - 12);
}

function mapping(points, { x, y, width, height: whole }) {
  const height = whole - CAPTION;
  const range = (key) => {
    const values = points.map((point) => point[key]);
    const low = Math.min(...values);
    const high = Math.max(...values);
    return [low - 0.12 * (high - low), high + 0.12 * (high - low)];
  };
  const [x0, x1] = range("x");
  const [y0, y1] = range("y");
  return {
    range: [x0, x1, y0, y1],
    px: (v) => x + ((v - x0) / (x1 - x0)) * width,
    py: (v) => y + height - ((v - y0) / (y1 - y0)) * height,
  };
}

function drawPoints(ink, points, { px, py }, colors) {
  ink.lineWidth = 1.4;
  ink.strokeStyle = ink.fillStyle = colors.soft;
  for (const point of points) {
    ink.beginPath();
    ink.arc(px(point.x), py(point.y), 2.4, 0, 2 * Math.PI);
    if (point.label === 0) ink.stroke();
    else ink.fill();
  }
}

/** The line w x + b through the points, or the line w1 x + w2 y = 0 between the classes. */
function drawModel(ink, app, index, { range: [x0, x1, y0, y1], px, py }) {
  const path = app.paths[index];
  const k = Math.min(Math.floor(app.step), path.x.length - 1);
  const [a, b] = [path.x[k], path.y[k]];
  const between = app.surface.points[0].label !== undefined;
  const far = 2 * Math.hypot(x1 - x0, y1 - y0);
  const size = Math.hypot(a, b);
  if (!Number.isFinite(size) || size > 1e6 || (between && size === 0)) return;
  const { fill, dash, width } = penOf(app, index);
  const [from, to] = between
    ? [
        [(-b / size) * far, (a / size) * far],
        [(b / size) * far, (-a / size) * far],
      ]
    : [
        [x0, a * x0 + b],
        [x1, a * x1 + b],
      ];
  ink.beginPath();
  ink.moveTo(px(from[0]), py(from[1]));
  ink.lineTo(px(to[0]), py(to[1]));
  ink.strokeStyle = fill;
  ink.lineWidth = width - 0.4;
  ink.setLineDash(dash);
  ink.stroke();
  ink.setLineDash([]);
}
