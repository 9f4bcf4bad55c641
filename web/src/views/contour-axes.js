/** What stands around and on the ground of the contour view: axes, labels of levels, the minima. */

import { groundOf } from "./contour-colours.js";
import { short } from "../ui/numbers.js";
import { tickTexts, ticks } from "./chart-scale.js";
import { font, lowered, withoutNote } from "./text.js";

/** Labels of levels keep this distance from each other and from the border, in CSS pixels. */
const APART = 90;
const BORDER = 30;
const MOST = 8;
/** Labels on steeper lines would have to be read with the head to one side. */
const STEEPEST = 1;

/** The frame, its ticks and the names of the coordinates. */
export function drawAxes(ink, frame, names, colors) {
  const { left, top, right, bottom } = frame.rect;
  const [x0, x1, y0, y1] = frame.shown;
  ink.save();
  ink.strokeStyle = colors.line;
  ink.lineWidth = 1;
  ink.strokeRect(left - 0.5, top - 0.5, right - left + 1, bottom - top + 1);
  ink.fillStyle = colors.soft;
  ink.font = font(12);
  across(ink, frame, ticks(x0, x1, (right - left) / 90));
  const beside = upwards(ink, frame, ticks(y0, y1, (bottom - top) / 70));
  drawNames(ink, frame, names.map(lowered), beside, colors);
  ink.restore();
}

/**
 * The names of the coordinates: below and beside the plot, or, where it is small, at the ends of its sides.
 */
function drawNames(ink, { rect: { left, top, right, bottom, narrow } }, [across, up], beside, colors) {
  ink.font = `italic ${font(13)}`;
  ink.textBaseline = "alphabetic";
  if (narrow) {
    ink.textAlign = "right";
    const long = across.length > 2;
    if (!long) ink.fillText(across, right, bottom + 17);
    const within = [[up, top + 15], long && [across, bottom - 8]].filter(Boolean);
    for (const [name, y] of within) drawOver(ink, withoutNote(name), left + 6, y, colors);
    return;
  }
  ink.textAlign = "center";
  ink.fillText(across, (left + right) / 2, bottom + 32);
  ink.translate(Math.max(left - beside - 14, 10), (top + bottom) / 2);
  if (up.length > 2) ink.rotate(-Math.PI / 2);
  ink.fillText(up, 0, 4);
}

/** A name on the ground. */
function drawOver(ink, name, x, y, colors) {
  ink.strokeStyle = groundOf(colors);
  ink.lineWidth = 3;
  ink.lineJoin = "round";
  ink.textAlign = "left";
  ink.strokeText(name, x, y);
  ink.fillText(name, x, y);
}

function across(ink, { rect: { left, right, bottom, narrow }, px }, values) {
  ink.textAlign = "center";
  ink.textBaseline = "alphabetic";
  const texts = tickTexts(values);
  const end = narrow ? right - 24 : Infinity;
  values.forEach((value, k) => {
    const x = Math.round(px(value)) + 0.5;
    const half = ink.measureText(texts[k]).width / 2;
    if (x + half > end) return;
    tick(ink, x, bottom + 1, x, bottom + 5);
    ink.fillText(texts[k], Math.min(Math.max(x, left - 34 + half), right + 7 - half), bottom + 18);
  });
}

/** Draws the ticks beside the plot. @returns {number} how far they reach out of it */
function upwards(ink, { rect: { left, bottom, top }, py }, values) {
  ink.textAlign = "right";
  ink.textBaseline = "middle";
  const texts = tickTexts(values);
  let widest = 0;
  values.forEach((value, k) => {
    const y = Math.round(py(value)) + 0.5;
    tick(ink, left - 5, y, left - 1, y);
    ink.fillText(texts[k], left - 8, Math.min(Math.max(y, top + 5), bottom - 4));
    widest = Math.max(widest, ink.measureText(texts[k]).width);
  });
  return 8 + widest;
}

function tick(ink, x0, y0, x1, y1) {
  ink.beginPath();
  ink.moveTo(x0, y0);
  ink.lineTo(x1, y1);
  ink.stroke();
}

/** Sets the pen for text on lines, with a rim that keeps them off it. */
export function setLabelPen(ink, colors, fill) {
  ink.font = font(11);
  ink.textAlign = "center";
  ink.textBaseline = "middle";
  ink.lineJoin = "round";
  ink.lineWidth = 3;
  ink.strokeStyle = groundOf(colors);
  ink.fillStyle = fill;
}

/** The loss written on some of the lines, along them and away from each other. */
export function drawLevels(ink, lines, frame, colors, taken = []) {
  const placed = [...taken];
  ink.save();
  setLabelPen(ink, colors, colors.soft);
  for (const { level, lines: rings } of lines.filter((_, k) => (lines.length - 1 - k) % 2 === 0).reverse()) {
    if (placed.length - taken.length >= MOST) break;
    const spot = best(rings, frame.rect, placed);
    if (!spot) continue;
    placed.push(spot);
    along(ink, short(level, 3), spot);
  }
  ink.restore();
}

function along(ink, text, { x, y, angle }) {
  ink.save();
  ink.translate(x, y);
  ink.rotate(angle);
  ink.strokeText(text, 0, 0);
  ink.fillText(text, 0, 0);
  ink.restore();
}

/**
 * The place on the rings that is farthest from all labels, if it is far enough and the line is nearly level.
 */
function best(rings, { left, right, top, bottom }, placed) {
  let found = null;
  let most = APART;
  for (const ring of rings) {
    for (let k = 3; k < ring.length - 3; k += 2) {
      const [x, y] = ring[k];
      if (x < left + BORDER || x > right - BORDER || y < top + BORDER / 2 || y > bottom - BORDER / 2)
        continue;
      const nearest = Math.min(...placed.map((p) => Math.hypot(p.x - x, p.y - y)), 1e4);
      const angle = slope(ring[k - 3], ring[k + 3]);
      if (Math.abs(angle) > STEEPEST) continue;
      const wanted = nearest - 110 * Math.abs(angle);
      if (wanted > most) [found, most] = [{ x, y, angle }, wanted];
    }
  }
  return found;
}

/** The angle of a line, upright: between -90 and 90 degrees. */
function slope([x0, y0], [x1, y1]) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  return angle > Math.PI / 2 ? angle - Math.PI : angle < -Math.PI / 2 ? angle + Math.PI : angle;
}

/** A small cross at each minimum. */
export function drawMinima(ink, frame, minima, colors) {
  ink.save();
  ink.lineCap = "round";
  for (const [x, y] of minima) {
    const [px, py] = [frame.px(x), frame.py(y)];
    if (!frame.contains(px, py)) continue;
    for (const [width, colour] of [
      [4.5, colors.page],
      [1.6, colors.ink],
    ]) {
      ink.lineWidth = width;
      ink.strokeStyle = colour;
      ink.beginPath();
      ink.moveTo(px - 5, py);
      ink.lineTo(px + 5, py);
      ink.moveTo(px, py - 5);
      ink.lineTo(px, py + 5);
      ink.stroke();
    }
  }
  ink.restore();
}
