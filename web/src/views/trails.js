/** The trails of the racers on the contour view: their lines, the dots of their steps, and their heads. */

import { mix } from "./colour.js";
import { groundOf, haloOf } from "./contour-colours.js";
import { drawMark } from "./trails-marks.js";
import { merged, strokePieces, trailPieces } from "./trails-lines.js";

const WIDTH = 2.1;
const HALO = 2.2;
/** Steps have dots while they are few; the dots fade out between these numbers of steps. */
const FEW = 60;
const MANY = 260;
/** Dots closer than this are left out, in CSS pixels. */
const APART = 6;

/**
 * The racers in the order of painting: hidden ones left out, the selected one and the one pointed at last.
 */
export function paintOrder(app) {
  const rank = (i) => (i === app.hover?.racer ? 2 : i === app.selected ? 1 : 0);
  const shown = app.state.racers.map((_, i) => i).filter((i) => !app.state.racers[i].hidden && app.paths[i]);
  return shown.sort((a, b) => rank(a) - rank(b) || a - b);
}

/** The colours of a racer on the stage; when another one is pointed at, it steps back. */
export function penOf(app, index) {
  const hue = app.state.racers[index].hue;
  const { colors, hover } = app;
  const back = hover && hover.racer !== index;
  return {
    hue,
    back,
    fill: back ? mix(colors.hues[hue], groundOf(colors), 0.66) : colors.hues[hue],
    rim: back ? null : haloOf(colors),
    dash: colors.dashes[hue],
    width: index === app.selected || index === hover?.racer ? WIDTH + 0.6 : WIDTH,
  };
}

/**
 * Draws a stretch of the trails of a frame.
 * @param {CanvasRenderingContext2D} ink
 * @param {object} app
 * @param {object} frame
 * @param {{ from: number, to: number, lengths: Map<number, number> }} stretch steps, of which the last may be
 *   a fraction; how long each trail is before it, for dashes, brought up to date
 */
export function drawTrails(ink, app, frame, { from, to, lengths }) {
  ink.lineJoin = "round";
  for (const i of paintOrder(app)) {
    const pen = penOf(app, i);
    const path = app.paths[i];
    const line = trailPieces(path, frame, from, to, lengths.get(i));
    lengths.set(i, line.along);
    drawLine(ink, line, pen);
    drawDots(ink, path, frame, from, to, pen, app.state.steps);
  }
}

/** Draws the pieces of a trail with its halo and its dash. */
export function drawLine(ink, pieces, { fill, rim, dash, width }) {
  const line = merged(pieces);
  ink.setLineDash([]);
  if (rim) {
    // Butt ends: a later stretch must not cover the end of the one before.
    ink.lineCap = "butt";
    ink.lineWidth = width + HALO;
    ink.strokeStyle = rim;
    strokePieces(ink, line, false);
  }
  ink.lineCap = dash ? "butt" : "round";
  ink.lineWidth = width;
  ink.strokeStyle = fill;
  if (dash) ink.setLineDash(dash);
  strokePieces(ink, line, Boolean(dash));
  ink.setLineDash([]);
}

function drawDots(ink, path, frame, from, to, pen, steps) {
  const clear = 1 - (Math.min(steps, path.x.length - 1) - FEW) / (MANY - FEW);
  if (clear <= 0) return;
  ink.save();
  ink.globalAlpha = Math.min(clear, 1);
  ink.lineCap = "round";
  ink.strokeStyle = pen.fill;
  ink.lineWidth = pen.width + 2.9;
  ink.beginPath();
  let [x, y] = [NaN, NaN];
  for (let k = Math.max(from, 1); k <= Math.min(Math.floor(to), path.x.length - 1); k++) {
    const px = frame.px(path.x[k]);
    const py = frame.py(path.y[k]);
    if (Math.hypot(px - x, py - y) < APART || !frame.contains(px, py)) continue;
    [x, y] = [px, py];
    ink.moveTo(x, y);
    ink.lineTo(x + 0.01, y);
  }
  ink.stroke();
  ink.restore();
}

/**
 * Where a racer is at a step, which may be a fraction, in CSS pixels.
 * @returns {{ x: number, y: number, last: number }}
 */
export function headOf(path, step, frame) {
  const last = Math.min(Math.floor(step), path.x.length - 1);
  const part = Math.min(step - last, 1);
  const next = Math.min(last + 1, path.x.length - 1);
  const finite = Number.isFinite(path.x[next] + path.y[next]);
  const share = finite ? part : 0;
  const x = path.x[last] + (path.x[next] - path.x[last]) * share;
  const y = path.y[last] + (path.y[next] - path.y[last]) * share;
  return { x: frame.px(x), y: frame.py(y), last };
}

/** Draws the head of a racer. */
export function drawHead(ink, app, index, { x, y }) {
  const pen = penOf(app, index);
  const large = index === app.hover?.racer || index === app.selected;
  const radius = large ? 6.4 : 5.4;
  drawMark(ink, { hue: pen.hue, x, y, radius, fill: pen.fill, rim: pen.rim ?? groundOf(app.colors) });
}

/**
 * The layer that keeps the trails already drawn, so that a frame while playing adds only what is new.
 * @param {(ink: CanvasRenderingContext2D, stretch: { from: number, to: number, lengths: Map<number, number>
 *   }) => void} drawStretch
 * @returns {{ canvas: HTMLCanvasElement, forget: () => void, update: (app: object, size: object) => void }}
 */
export function createTrailLayer(drawStretch) {
  const canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d");
  let done = null;
  const begin = (key, { width, height, ratio }) => {
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.clearRect(0, 0, width, height);
    done = { step: 0, pieces: 0, lengths: new Map(), key };
  };
  const update = (app, size) => {
    const step = Math.floor(app.step);
    const key = `${app.hover?.racer} ${app.selected}`;
    // At rest trails are drawn in one piece, or who covers whom would tell of how the step was reached.
    const goesOn = done && (app.playing ? step >= done.step : step === done.step && done.pieces < 2);
    if (!goesOn || done.key !== key) begin(key, size);
    if (step > done.step) {
      drawStretch(ink, { from: done.step, to: step, lengths: done.lengths });
      done.pieces += 1;
    }
    done.step = step;
  };
  return { canvas, update, forget: () => (done = null) };
}
