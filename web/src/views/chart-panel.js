// One frame of a line chart: where it lies, its grid, its curves and the names at their ends.

import { chosen, fit, spread } from "./chart-labels.js";
import { thin } from "./chart-curve.js";
import { drawMark } from "./trails-marks.js";
import { logTicks, logTickTexts, scale, tickTexts, ticks, wholeTicks } from "./chart-scale.js";
import { straightened } from "./straight.js";
import { font } from "./text.js";

const TITLE = 22;
const AXIS = 22;
const GAP = 14; // between two panels
const LINE = 14; // height of a name
const LEADER = 10;
const MARK = 11; // room for the racer's mark before its name

/**
 * @typedef {{ racer: number, hue: number, name: string, strong: boolean, values: ArrayLike<number>,
 *   against?: ArrayLike<number>, end?: { step: number, word: string } | null }} Curve
 * `against` are values drawn dotted (a step uphill); `end` marks where a racer stopped early.
 * @typedef {{ title: string, log: boolean, low: number, high: number, curves: Curve[] }} Panel
 * @typedef {{ panel: Panel, x: import("./chart-scale.js").Scale, y: import("./chart-scale.js").Scale,
 *   left: number, right: number, top: number, bottom: number, last: boolean,
 *   marks: { values: number[], texts: string[] } }} Frame
 */

/** Panels one under the other, with the same steps in all of them. @returns {Frame[]} */
export function frames(ctx, panels, steps, width, height) {
  const each = (height - AXIS - GAP * (panels.length - 1)) / panels.length;
  const marks = panels.map((panel) => valueMarks(panel, each - TITLE));
  ctx.font = font(11.5);
  const widest = Math.max(...marks.flatMap((m) => m.texts).map((t) => ctx.measureText(t).width), 28);
  const left = Math.ceil(widest) + 10;
  const right = width - nameRoom(ctx, panels, width);
  return panels.map((panel, i) => {
    const top = i * (each + GAP) + TITLE;
    const bottom = top + each - TITLE;
    return {
      panel,
      left,
      right,
      top,
      bottom,
      marks: marks[i],
      last: i === panels.length - 1,
      x: scale(0, steps, left, right),
      y: scale(panel.low, panel.high, bottom, top, panel.log),
    };
  });
}

function valueMarks(panel, height) {
  const wanted = Math.max(2, Math.round(height / (panel.log ? 34 : 48)));
  const values = (panel.log ? logTicks : ticks)(panel.low, panel.high, wanted);
  return { values, texts: panel.log ? logTickTexts(values) : tickTexts(values) };
}

function nameRoom(ctx, panels, width) {
  ctx.font = font(12, 600);
  const names = panels.flatMap((panel) => panel.curves.map((c) => ctx.measureText(c.name).width));
  return Math.min(Math.max(width * 0.36, 96), Math.max(0, ...names) + LEADER + MARK + 4);
}

/** Grid, axes and title. @param {CanvasRenderingContext2D} ctx @param {Frame} frame */
export function drawGround(ctx, frame, colors) {
  const { panel, x, y, left, right, bottom, top } = frame;
  ctx.font = font(12, 600);
  ctx.fillStyle = colors.ink;
  ctx.textAlign = "left";
  ctx.fillText(panel.title, 0, top - 10);
  ctx.font = font(11.5);
  ctx.fillStyle = colors.soft;
  ctx.lineWidth = 1;
  ctx.textAlign = "right";
  frame.marks.values.forEach((value, i) => {
    const at = Math.round(y.at(value)) + 0.5;
    line(ctx, left, at, right, at, value === 0 ? colors.line : colors.faint);
    ctx.fillText(frame.marks.texts[i], left - 6, at + 3.5);
  });
  line(ctx, left, bottom + 0.5, right, bottom + 0.5, colors.line);
  if (frame.last) stepMarks(ctx, frame, x, colors);
}

function stepMarks(ctx, { left, right, bottom }, x, colors) {
  ctx.textAlign = "right";
  ctx.fillText("step", left - 9, bottom + 16);
  ctx.textAlign = "center";
  for (const value of wholeTicks(0, x.high, Math.max(2, (right - left) / 64))) {
    line(
      ctx,
      Math.round(x.at(value)) + 0.5,
      bottom + 1,
      Math.round(x.at(value)) + 0.5,
      bottom + 4,
      colors.line,
    );
    ctx.fillText(String(value), x.at(value), bottom + 16);
  }
}

/** All curves of a frame, and where racers ended. */
export function drawCurves(ctx, frame, colors) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.left - 2, frame.top - 3, frame.right - frame.left + 4, frame.bottom - frame.top + 6);
  ctx.clip();
  for (const curve of frame.panel.curves) drawCurve(ctx, frame, curve, colors);
  ctx.restore();
  endMarks(ctx, frame, colors);
}

function drawCurve(ctx, frame, curve, colors) {
  ctx.strokeStyle = colors.hues[curve.hue];
  ctx.lineJoin = "bevel";
  if (curve.against) {
    ctx.lineWidth = curve.strong ? 2 : 1.3;
    ctx.lineCap = "butt";
    ctx.setLineDash([1.5, 2.5]);
    trace(ctx, frame, curve.against);
  }
  ctx.lineWidth = curve.strong ? 2.5 : 1.6;
  ctx.setLineDash(colors.dashes[curve.hue] ?? []);
  ctx.lineCap = "round";
  trace(ctx, frame, curve.values);
  ctx.setLineDash([]);
}

function trace(ctx, { x, y }, values) {
  ctx.beginPath();
  for (const piece of thin(values, x.at(values.length) - x.at(0))) {
    const points = straightened(piece.map((value, i) => (i % 2 ? y : x).at(value)));
    ctx.moveTo(points[0], points[1]);
    for (let i = 2; i < points.length; i += 2) ctx.lineTo(points[i], points[i + 1]);
    if (piece.length === 2) ctx.lineTo(points[0] + 0.1, points[1]);
  }
  ctx.stroke();
}

/** A cross at the last value of a racer that ended early, and a word for why where there is room. */
function endMarks(ctx, frame, colors) {
  ctx.font = font(11.5);
  ctx.fillStyle = colors.soft;
  const crosses = frame.panel.curves
    .filter((curve) => curve.end)
    .map(({ end, hue, values }) => {
      const [x, y] = [frame.x.at(end.step), inside(frame, frame.y.at(values[end.step]))];
      cross(ctx, x, y, colors.hues[hue]);
      return { x, y, word: end.word };
    });
  for (const one of crosses) {
    const { x, y, word } = one;
    const room = ctx.measureText(word).width + 12;
    const left = x + room > frame.right;
    const [from, to] = left ? [x - room, x - 1] : [x + 1, x + room];
    const under = (other) => other.x > from - 5 && other.x < to + 5 && Math.abs(other.y - y) < 12;
    if (crosses.some((other) => other !== one && under(other))) continue;
    ctx.textAlign = left ? "right" : "left";
    ctx.fillText(word, left ? x - 8 : x + 8, y + 4);
  }
}

const inside = (frame, y) => Math.min(Math.max(y, frame.top + 4), frame.bottom - 4);

function cross(ctx, x, y, color) {
  ctx.beginPath();
  for (const way of [1, -1]) {
    ctx.moveTo(x - 4, y - 4 * way);
    ctx.lineTo(x + 4, y + 4 * way);
  }
  ctx.lineWidth = 2;
  ctx.strokeStyle = color;
  ctx.stroke();
}

/** Names at the ends of curves, moved apart, each with its racer's mark and a thin line to its curve. */
export function drawNames(ctx, frame, width, colors) {
  const { top, bottom, right } = frame;
  const labels = chosen(frame.panel.curves, Math.floor((bottom - top + LINE) / LINE));
  const ends = labels.map((curve) => inside(frame, frame.y.at(finalValue(curve, frame))));
  const places = spread(ends, LINE, top + 2, bottom - 2);
  labels.forEach((curve, i) => drawName(ctx, curve, { right, width, end: ends[i], y: places[i] }, colors));
}

function drawName(ctx, { hue, name, strong }, { right, width, end, y }, colors) {
  const fill = colors.hues[hue];
  ctx.lineWidth = 1;
  line(ctx, right + 1, end, right + LEADER - 1, y, fill);
  drawMark(ctx, { hue, x: right + LEADER + 3, y, radius: 3.2, fill, rim: colors.page, width: 1 });
  ctx.font = font(12, strong ? 600 : 400);
  ctx.fillStyle = colors.texts?.[hue] ?? colors.ink;
  ctx.textAlign = "left";
  const left = right + LEADER + MARK;
  ctx.fillText(
    fit(name, width - left, (text) => ctx.measureText(text).width),
    left,
    y + 4,
  );
}

/** The last value to be seen: of a racer that diverged that is the top of the frame. */
function finalValue(curve, frame) {
  for (let i = curve.values.length - 1; i >= 0; i -= 1) {
    if (Number.isFinite(curve.values[i])) return curve.values[i];
    if (Number.isFinite(curve.against?.[i])) return curve.against[i];
  }
  return frame.panel.high;
}

/** A straight line. */
export function line(ctx, x1, y1, x2, y2, color) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.strokeStyle = color;
  ctx.stroke();
}
