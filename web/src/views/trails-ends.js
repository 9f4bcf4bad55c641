/**
 * Racers that are not in the picture: an arrowhead on the border where each left, and their names, gathered.
 */

import { font } from "./text.js";
import { groundOf, haloOf } from "./contour-colours.js";
import { nameOf } from "../state/racers.js";
import { headOf, paintOrder, penOf } from "./trails.js";
import { clipped } from "./trails-lines.js";
import { drawMark } from "./trails-marks.js";

const ROW = 17;
const PAD = 6;
/** Room for a mark before a name. */
export const INDENT = 15;
/** Names in one box; the others are counted. */
const MOST = 5;

/**
 * Where a racer left the picture for good, up to a step: null while its head is in the picture and finite.
 * @returns {{ x: number, y: number, angle: number, step: number, index: number, near: boolean } | null} near:
 *   it is only outside of a part that was zoomed into
 */
export function exitOf(path, frame, step, index) {
  const { rect, px, py, contains, atHome } = frame;
  const head = headOf(path, step, frame);
  const near = atHome(head.x, head.y);
  const over = path.ended && step >= path.ended.step;
  if (contains(head.x, head.y))
    return over ? { x: head.x, y: head.y, angle: NaN, step: path.ended.step, index } : null;
  let k = head.last;
  while (k >= 0 && !contains(px(path.x[k]), py(path.y[k]))) k--;
  if (k < 0) return beyond(head, rect, index);
  const next = k + 1 <= head.last ? [px(path.x[k + 1]), py(path.y[k + 1])] : [head.x, head.y];
  const [ax, ay] = [px(path.x[k]), py(path.y[k])];
  const piece = clipped(ax, ay, ...next, rect, 0);
  if (!piece) return beyond(head, rect, index);
  return {
    x: piece[2],
    y: piece[3],
    angle: Math.atan2(next[1] - ay, next[0] - ax),
    step: k + 1,
    index,
    near,
  };
}

/** A racer that was never in the picture: the border nearest to it. */
function beyond({ x, y }, { left, top, right, bottom }, index) {
  if (!(x === x && y === y)) return null;
  const [bx, by] = [Math.min(Math.max(x, left), right), Math.min(Math.max(y, top), bottom)];
  return { x: bx, y: by, angle: Math.atan2(y - by, x - bx), step: 0, index };
}

/** What is written about a racer that left or ended. */
function endText(app, { index, step, angle, near }) {
  const { ended, evaluations } = app.paths[index];
  const name = nameOf(app.state, index);
  const over = ended && app.step >= ended.step;
  if (over && evaluations === 0) return `${name} cannot start here`;
  const last = over && Math.max(ended.step, 1);
  if (over && ended.why === "not finite") return `${name}: NaN at step ${last}`;
  if (over && ended.why === "outside") return `${name} left the slice at step ${last}`;
  if (over && Number.isNaN(angle)) return `${name} diverged at step ${last}`;
  return step && !near ? `${name} left at step ${step}` : `${name} is outside`;
}

/** Where each racer that is shown left the picture or ended, in the order of painting. */
export const exitsOf = (app, frame) =>
  paintOrder(app)
    .map((i) => exitOf(app.paths[i], frame, app.step, i))
    .filter(Boolean);

/**
 * Draws the arrowheads and the boxes with the names inside of a rectangle, above what is taken.
 * @returns {{ x: number, y: number, width: number, height: number }[]} the boxes, for other labels to avoid
 */
export function drawEnds(ink, app, exits, rect, taken = []) {
  for (const exit of exits) (Number.isNaN(exit.angle) ? drawStop : drawArrow)(ink, app, exit);
  ink.save();
  ink.font = font(12);
  const boxes = gathered(
    ink,
    app,
    [...exits].sort((a, b) => a.index - b.index),
    { ...rect, taken },
  );
  for (const box of boxes) drawBox(ink, app, box);
  ink.restore();
  return boxes;
}

function drawArrow(ink, app, { x, y, angle, index }) {
  const pen = penOf(app, index);
  ink.save();
  ink.translate(x, y);
  ink.rotate(angle);
  ink.beginPath();
  ink.moveTo(0, 0);
  ink.lineTo(-12, -6.5);
  ink.lineTo(-9, 0);
  ink.lineTo(-12, 6.5);
  ink.closePath();
  ink.lineJoin = "round";
  ink.lineWidth = 3;
  ink.strokeStyle = pen.rim ?? groundOf(app.colors);
  ink.stroke();
  ink.fillStyle = pen.fill;
  ink.fill();
  ink.restore();
}

/** A cross where a racer ended inside the picture. */
function drawStop(ink, app, { x, y, index }) {
  ink.save();
  ink.lineCap = "round";
  for (const [width, colour] of [
    [5.5, haloOf(app.colors)],
    [2.4, penOf(app, index).fill],
  ]) {
    ink.lineWidth = width;
    ink.strokeStyle = colour;
    ink.beginPath();
    for (const sign of [-1, 1]) {
      ink.moveTo(x - 6, y - 6 * sign);
      ink.lineTo(x + 6, y + 6 * sign);
    }
    ink.stroke();
  }
  ink.restore();
}

/** One box for each exit, then boxes that lie on each other become one, until none do. */
function gathered(ink, app, exits, rect) {
  let boxes = exits.map((exit) => boxOf(ink, app, [exit], rect));
  for (let k = 1; k < boxes.length; k++) {
    const other = boxes.slice(0, k).findIndex((box) => overlap(box, boxes[k]));
    if (other < 0) continue;
    const both = [...boxes[other].exits, ...boxes[k].exits];
    boxes = boxes.filter((_, n) => n !== other && n !== k);
    boxes.push(boxOf(ink, app, both, rect));
    k = 0;
  }
  return boxes;
}

const overlap = (a, b) =>
  a.x < b.x + b.width + 2 && b.x < a.x + a.width + 2 && a.y < b.y + b.height + 2 && b.y < a.y + a.height + 2;

function boxOf(ink, app, exits, { left, top, right, bottom, taken }) {
  const most = bottom - top < 300 ? 3 : MOST;
  const shown = exits.length > most ? exits.slice(0, most - 1) : exits;
  const rows = shown.map((exit) => ({ index: exit.index, text: endText(app, exit) }));
  if (shown.length < exits.length) rows.push({ index: -1, text: `and ${exits.length - shown.length} more` });
  const width = Math.max(...rows.map(({ text }) => widthOf(ink, text))) + 2 * PAD + INDENT;
  const height = rows.length * ROW + 5;
  const mean = (key) => exits.reduce((sum, exit) => sum + exit[key], 0) / exits.length;
  const inwards = (at, low, high, size) => (at < (low + high) / 2 ? at + 14 : at - 14 - size);
  const within = (at, low, high, size) => Math.min(Math.max(at, low + 4), high - 4 - size);
  const [x, y] = [mean("x"), mean("y")];
  const sideways = Math.min(x - left, right - x) < Math.min(y - top, bottom - y);
  const bx = sideways ? inwards(x, left, right, width) : x - width / 2;
  const by = sideways ? y - height / 2 : inwards(y, top, bottom, height);
  const place = { x: within(bx, left, right, width), y: within(by, top, bottom, height) };
  const under = taken.find((other) => overlap({ ...place, width, height }, other));
  if (under) place.y = Math.max(top + 4, under.y - height - 4);
  return { exits, rows, width, height, indent: INDENT, ...place };
}

const widths = new Map();

/** The width of a text at the font of labels; texts come again in every frame. */
export function widthOf(ink, text) {
  if (widths.size > 500) widths.clear();
  if (!widths.has(text)) widths.set(text, ink.measureText(text).width);
  return widths.get(text);
}

/** A box with rows of a text each, after a racer's mark where there is an indent for it. */
export function drawBox(ink, app, { x, y, width, height, rows, indent = 0 }) {
  const { colors } = app;
  ink.globalAlpha = 0.9;
  ink.fillStyle = colors.page;
  ink.beginPath();
  ink.roundRect(x, y, width, height, 5);
  ink.fill();
  ink.globalAlpha = 1;
  ink.textAlign = "left";
  ink.textBaseline = "middle";
  rows.forEach(({ index, text }, k) => {
    const middle = y + 2.5 + ROW * (k + 0.5);
    if (indent && index >= 0) {
      const { hue, fill } = penOf(app, index);
      drawMark(ink, { hue, x: x + PAD + 5, y: middle, radius: 3.8, fill, rim: colors.page, width: 1 });
    }
    ink.fillStyle = colors.ink;
    ink.fillText(text, x + PAD + indent, middle + 0.5);
  });
}
