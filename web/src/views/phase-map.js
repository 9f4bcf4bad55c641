// How a phase map is drawn: its frame, its picture, its legend and where the racer stands.

import { LOWEST, momentumOf } from "../race/phase.js";
import { fresh } from "./chart.js";
import { css, diverged, hatch, paint, ramp } from "./phase-colors.js";
import { line } from "./chart-panel.js";
import { logTicks, logTickTexts, power, scale, tickTexts, ticks } from "./chart-scale.js";
import { font } from "./text.js";
import { drawMark } from "./trails-marks.js";

const [TITLE, AXIS] = [26, 20];
const BAR = 56; // pixels of the legend's ramp
const ROOMY = 420; // pixels from which on the legend names everything
const SYMBOLS = { beta1: "β₁", alpha: "α", rho: "ρ" };

/** The axes' letters. @param {null | { name: string }} other */
export const symbolOf = (other) => SYMBOLS[other.name] ?? other.name;

/** The frame for a map: where it lies and its scales. A cell's middle lies at its value. */
export function frameOf(map, width, height) {
  const [left, right, top, bottom] = [map.other ? 52 : 44, width - 2, TITLE, height - AXIS];
  const lr = map.lr.values;
  const x = scale(...widened(lr, Math.log, Math.exp), left, right, true);
  const y = map.other
    ? scale(
        ...widened(
          map.other.values,
          (v) => v,
          (v) => v,
        ),
        bottom,
        top,
      )
    : null;
  return { left, right, top, bottom, x, y };
}

/** From half a cell below the first value to half a cell above the last. */
function widened(values, into, out) {
  const [a, b] = [into(values[0]), into(values[values.length - 1])];
  const half = (b - a) / Math.max(values.length - 1, 1) / 2;
  return [out(a - half), out(b + half)];
}

/**
 * The lowest value that the colours reach: whole powers of ten, so that colours do not flicker while it
 * computes.
 */
export function bestOf({ values }) {
  let best = -1;
  for (const value of values) if (value < best) best = value;
  return Math.max(LOWEST, Math.floor(best));
}

/** The picture and the border of stability. @param {HTMLCanvasElement} layer for the picture's pixels */
export function drawPicture(ctx, layer, map, frame, colors) {
  const { left, right, top, bottom } = frame;
  const [width, height] = [Math.round(right - left), Math.round(bottom - top)];
  const pixels = paint(map, bestOf(map), width, height, colors.dark);
  fresh(layer, width, height, 1).putImageData(new ImageData(pixels, width, height), 0, 0);
  ctx.drawImage(layer, left, top);
  ctx.strokeStyle = colors.ink;
  ctx.lineWidth = 1;
  ctx.stroke(border(map, left, bottom, width / map.columns, height / map.rows));
}

/** Along the edges between cells that diverged and cells that did not. */
function border({ values, columns, rows }, left, bottom, w, t) {
  const path = new Path2D();
  const apart = (a, b) => (values[a] === Infinity) !== (values[b] === Infinity);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const [i, x, y] = [row * columns + column, left + column * w, bottom - row * t];
      if (column && apart(i, i - 1)) {
        path.moveTo(x, y);
        path.lineTo(x, y - t);
      }
      if (row && apart(i, i - columns)) {
        path.moveTo(x, y);
        path.lineTo(x + w, y);
      }
    }
  }
  return path;
}

/** Ticks and names of the axes. */
export function drawAxes(ctx, map, { left, right, top, bottom, x, y }, colors) {
  ctx.font = font(11.5);
  ctx.fillStyle = colors.soft;
  ctx.lineWidth = 1;
  ctx.textAlign = "center";
  const rates = logTicks(map.lr.values[0], map.lr.values[map.columns - 1], Math.max(3, (right - left) / 60));
  logTickTexts(rates).forEach((text, i) => {
    const at = Math.round(x.at(rates[i])) + 0.5;
    line(ctx, at, bottom, at, bottom + 4, colors.line);
    ctx.fillText(text, Math.min(at, right - ctx.measureText(text).width / 2), bottom + 16);
  });
  ctx.textAlign = "left";
  ctx.fillText("lr", 0, bottom + 16);
  ctx.textAlign = "right";
  if (!y) return;
  const values = ticks(y.low, y.high, Math.max(2, (bottom - top) / 44)).filter((v) => v >= 0);
  tickTexts(values).forEach((text, i) => ctx.fillText(text, left - 6, y.at(values[i]) + 3.5));
  ctx.save();
  ctx.translate(11, (top + bottom) / 2);
  ctx.rotate(-Math.PI / 2);
  ctx.textAlign = "center";
  ctx.fillText(symbolOf(map.other), 0, 0);
  ctx.restore();
}

/**
 * The legend, in words, at the right of the title: how the colours go, and what ends higher than it began or
 * diverges.
 * @param {number | null} best the lowest power of ten; null for a map without colours
 * @returns {number} where it begins
 */
export function drawLegend(ctx, best, width, colors) {
  ctx.font = font(11.5);
  ctx.textAlign = "right";
  ctx.fillStyle = colors.soft;
  let x = width - 2;
  const word = (text) => {
    ctx.fillStyle = colors.soft;
    ctx.fillText(text, x, 12);
    x -= ctx.measureText(text).width + 5;
  };
  word("diverges");
  swatch(ctx, x - 12, colors.dark, hatch);
  x -= 24;
  if (best === null) return x;
  if (width > ROOMY) {
    word("higher");
    swatch(ctx, x - 12, colors.dark, ([ground]) => ground);
    x -= 24;
  }
  word("stalls");
  x -= BAR;
  const shades = ramp(colors.dark);
  for (let i = 0; i < BAR; i += 1) {
    ctx.fillStyle = css(shades[Math.round(255 * (1 - i / (BAR - 1)))]);
    ctx.fillRect(x + i, 3, 1.2, 11);
  }
  x -= 5;
  word(`× ${power(best)}`);
  return x;
}

function swatch(ctx, left, dark, tone) {
  for (let y = 0; y < 11; y += 1) {
    for (let x = 0; x < 12; x += 1) {
      ctx.fillStyle = css(tone(diverged(dark), x, y));
      ctx.fillRect(left + x, 3 + y, 1.05, 1.05);
    }
  }
}

/** Where the racer stands. */
export function drawHere(ctx, map, frame, racer, colors) {
  const inside = (value, a, b) => Math.min(Math.max(value, Math.min(a, b)), Math.max(a, b));
  const x = inside(frame.x.at(racer.options.lr), frame.left + 6, frame.right - 6);
  const y = inside(frame.y.at(momentumOf(racer, map.other)), frame.top + 6, frame.bottom - 6);
  ring(ctx, x, y, colors);
  drawMark(ctx, { hue: racer.hue, x, y, radius: 4.5, fill: colors.hues[racer.hue], rim: colors.page });
}

function ring(ctx, x, y, colors) {
  ctx.beginPath();
  ctx.arc(x, y, 10, 0, 2 * Math.PI);
  for (const [width, color] of [
    [4, colors.page],
    [1.5, colors.ink],
  ]) {
    ctx.lineWidth = width;
    ctx.strokeStyle = color;
    ctx.stroke();
  }
}
