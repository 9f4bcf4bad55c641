// The map of a rule that has a learning rate and nothing like momentum: a curve.

import { css, diverged } from "./phase-colors.js";
import { bestOf } from "./phase-map.js";
import { line } from "./chart-panel.js";
import { logTickTexts, scale, ticks } from "./chart-scale.js";
import { drawMark } from "./trails-marks.js";

const TOP = 0.5; // powers of ten shown above the start's loss

/** The powers of ten of the loss, best below. */
export const heightOf = (map, { bottom, top }) => scale(bestOf(map), TOP, bottom, top);

/** The curve, shaded where runs diverge. */
export function drawCurve(ctx, map, frame, hue, colors) {
  const y = heightOf(map, frame);
  const { lr, values } = { lr: map.lr.values, values: map.values };
  ctx.fillStyle = css(diverged(colors.dark)[0]);
  const cell = (frame.right - frame.left) / map.columns;
  values.forEach((value, i) => {
    if (value === Infinity)
      ctx.fillRect(frame.left + i * cell, frame.top, cell + 0.5, frame.bottom - frame.top);
  });
  drawGrid(ctx, frame, y, colors);
  ctx.beginPath();
  let pen = false;
  values.forEach((value, i) => {
    if (Number.isFinite(value)) ctx[pen ? "lineTo" : "moveTo"](frame.x.at(lr[i]), y.at(Math.min(value, TOP)));
    pen = Number.isFinite(value);
  });
  ctx.lineJoin = "round";
  ctx.lineWidth = 2.2;
  ctx.strokeStyle = colors.hues[hue];
  ctx.stroke();
}

function drawGrid(ctx, { left, right }, y, colors) {
  const whole = ticks(y.low, 0, 4).filter(Number.isInteger);
  ctx.fillStyle = colors.soft;
  ctx.textAlign = "right";
  ctx.lineWidth = 1;
  logTickTexts(whole.map((v) => 10 ** v)).forEach((text, i) => {
    const at = Math.round(y.at(whole[i])) + 0.5;
    line(ctx, left, at, right, at, whole[i] === 0 ? colors.line : colors.faint);
    ctx.fillText(text, left - 6, at + 3.5);
  });
}

/** Where the racer stands on the curve. */
export function drawHereOn(ctx, map, frame, racer, colors) {
  const x = frame.x.at(racer.options.lr);
  if (x < frame.left || x > frame.right) return;
  line(ctx, x, frame.top, x, frame.bottom, colors.soft);
  const column = Math.floor(((x - frame.left) / (frame.right - frame.left)) * map.columns);
  const value = map.values[Math.min(column, map.columns - 1)];
  const y = Number.isFinite(value) ? heightOf(map, frame).at(Math.min(value, TOP)) : frame.top + 8;
  drawMark(ctx, { hue: racer.hue, x, y, radius: 5, fill: colors.hues[racer.hue], rim: colors.page });
}
