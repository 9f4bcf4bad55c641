/** The penalty or decay of the selected racer as dashed lines of equal penalty around zero. */

import { contours } from "d3-contour";
import { withPenalty } from "../surfaces/index.js";
import { short } from "../ui/numbers.js";
import { setLabelPen } from "./contour-axes.js";
import { nameOf } from "../state/racers.js";
import { levelsWithin, penaltyOf } from "./penalty-strengths.js";

const COLUMNS = 181;

/** Draws the penalty of the selected racer, if it has one. */
export function drawPenalty(ink, app, frame) {
  const racer = app.state.racers[app.selected];
  const strengths = racer && !racer.hidden ? penaltyOf(racer) : { l1: 0, l2: 0 };
  if (!(strengths.l1 || strengths.l2)) return;
  const { penalty } = withPenalty(app.surface, strengths);
  const { colors } = app;
  ink.save();
  ink.strokeStyle = colors.hues[racer.hue];
  ink.lineWidth = 1.3;
  ink.globalAlpha = 0.85;
  ink.setLineDash([5, 4]);
  const drawn = linesOf(penalty, frame).map(({ level, rings }) => ({
    level,
    top: drawRings(ink, rings, frame.rect),
  }));
  ink.restore();
  drawNote(ink, drawn, kindOf(strengths, nameOf(app.state, app.selected)), colors);
}

const kindOf = ({ l1, l2 }, name) => `${l1 && l2 ? "L1 + L2" : l1 ? "L1" : "L2"} penalty of ${name}`;

function linesOf(penalty, { shown: [x0, x1, y0, y1], rect: { left, right, top, bottom } }) {
  const rows = Math.round((COLUMNS * (bottom - top)) / (right - left)) | 1;
  const values = new Float64Array(COLUMNS * rows);
  const dx = (x1 - x0) / (COLUMNS - 1);
  const dy = (y1 - y0) / (rows - 1);
  for (let k = 0; k < values.length; k++) {
    values[k] = penalty(x0 + (k % COLUMNS) * dx, y1 - Math.floor(k / COLUMNS) * dy);
  }
  const high = values.reduce((most, v) => Math.max(most, v), 0);
  const low = values.reduce((least, v) => Math.min(least, v), high);
  const kx = (right - left) / (COLUMNS - 1);
  const ky = (bottom - top) / (rows - 1);
  const place = ([u, v]) => [left + (u - 0.5) * kx, top + (v - 0.5) * ky];
  const grid = contours().size([COLUMNS, rows]);
  return levelsWithin(low, high).map((level) => ({
    level,
    rings: grid
      .contour(values, level)
      .coordinates.flat()
      .map((ring) => ring.map(place)),
  }));
}

/** Strokes rings and gives back their highest point that has room for a label. */
function drawRings(ink, rings, { left, right, top }) {
  let highest = null;
  ink.beginPath();
  for (const ring of rings) {
    ring.forEach(([x, y], k) => (k ? ink.lineTo(x, y) : ink.moveTo(x, y)));
    for (const [x, y] of ring) {
      if (x > left + 90 && x < right - 90 && y > top + 12 && !(highest?.[1] <= y)) highest = [x, y];
    }
  }
  ink.stroke();
  return highest;
}

/** The kind of the penalty on the largest line whose top is in the picture, and the values on the others. */
function drawNote(ink, drawn, kind, colors) {
  const seen = drawn.filter(({ top }) => top);
  ink.save();
  setLabelPen(ink, colors, colors.ink);
  seen.forEach(({ level, top: [x, y] }, k) => {
    const text = k === seen.length - 1 ? `${kind}: ${short(level)}` : short(level);
    ink.strokeText(text, x, y);
    ink.fillText(text, x, y);
  });
  ink.restore();
}
