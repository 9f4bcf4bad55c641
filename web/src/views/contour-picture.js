/** The picture of the contour view: layers that are kept while nothing under them changes. */

import { tickTexts, ticks } from "./chart-scale.js";
import { drawAxes, drawLevels, drawMinima } from "./contour-axes.js";
import { createFrame, fitted, plotRect } from "./contour-frame.js";
import { computeGround, drawGround } from "./contour-ground.js";
import { createHeights } from "./contour-levels.js";
import { drawInset } from "./contour-inset.js";
import { drawPenalty } from "./contour-penalty.js";
import { drawSlicePath } from "./contour-slice.js";
import { drawHover, drawStart, roomOf, startPlace } from "./handle-ring.js";
import { drawEnds, exitsOf } from "./trails-ends.js";
import { createLabels } from "./trails-labels.js";
import { createTrailLayer, drawHead, drawTrails, headOf, paintOrder } from "./trails.js";

/** A ground that changes again within this time is painted coarsely at first, in milliseconds. */
const SETTLED = 110;

const same = (a, b) => a !== null && a.every((value, k) => value === b[k]);

/**
 * @param {object} app
 * @param {{ moving?: boolean, taken?: () => object[] }} [options] moving: while the ground changes it may be
 *   coarse, and is refined later; taken: boxes that stand on the canvas, for labels to avoid
 * @returns {{ paint: (ink: CanvasRenderingContext2D, size: { width: number, height: number, ratio: number })
 *   => object[], frame: (size: object) => object, destroy: () => void }}
 */
export function createContourPicture(app, { moving = false, taken = () => [] } = {}) {
  const ground = createGroundLayer(app, moving);
  const labels = createLabels();
  const trails = createTrailLayer((ink, stretch) =>
    inside(ink, kept.rect, () => drawTrails(ink, app, kept, stretch)),
  );
  let frameKey = null;
  let kept = null;
  let trailKey = null;

  const frame = ({ width, height }) => {
    const box = app.state.view.box ?? null;
    const key = [app.surface, box, width, height];
    if (same(frameKey, key)) return kept;
    const [, , low, high] = box ?? app.surface.box;
    const letters = tickTexts(ticks(low, high, height / 80)).map((text) => text.length);
    const rect = plotRect({ width, height }, app.surface, Math.max(...letters));
    frameKey = key;
    const whole = fitted(app.surface.box, rect);
    kept = createFrame(box ? fitted(box, rect) : whole, rect, whole);
    return kept;
  };

  const paint = (ink, size) => {
    const now = frame(size);
    const key = [app.paths, app.state.racers, app.colors, now, size.ratio];
    if (!same(trailKey, key)) trails.forget();
    trailKey = key;
    ground.update(now, size);
    trails.update(app, size);
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.drawImage(ground.canvas, 0, 0);
    ink.drawImage(trails.canvas, 0, 0);
    ink.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    return inside(ink, now.rect, () => front(ink, app, now, labels, taken()));
  };
  return { paint, frame, destroy: ground.destroy };
}

/**
 * What moves: the trails since the last whole step, heads, ends, labels, the start.
 * @returns {object[]} the boxes that are taken now
 */
function front(ink, app, frame, labels, taken) {
  const step = Math.floor(app.step);
  if (step < app.step) drawTrails(ink, app, frame, { from: step, to: app.step, lengths: new Map() });
  const start = startPlace(app, frame);
  drawStart(ink, app, start);
  const heads = paintOrder(app).map((index) => ({ index, ...headOf(app.paths[index], app.step, frame) }));
  const exits = exitsOf(app, frame);
  const gone = new Set(exits.map(({ index }) => index));
  const seen = heads.filter(({ index }) => !gone.has(index));
  for (const head of seen) drawHead(ink, app, head.index, head);
  drawHover(ink, app, frame);
  const inset = drawInset(ink, app, frame);
  const boxes = [...drawEnds(ink, app, exits, frame.rect, taken), ...taken];
  if (inset) boxes.push(inset);
  boxes.push(roomOf(start));
  return labels(ink, app, frame.rect, seen, boxes);
}

/** Draws inside of a rectangle only. */
function inside(ink, { left, top, right, bottom }, draw) {
  ink.save();
  ink.beginPath();
  ink.rect(left, top, right - left, bottom - top);
  ink.clip();
  const drawn = draw();
  ink.restore();
  return drawn;
}

function createGroundLayer(app, moving) {
  const canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d", { alpha: false });
  let done = null;
  let changed = -Infinity;
  let timer = 0;
  let heightsOf = null;
  let heights = null;

  const update = (frame, size) => {
    // The selected racer's penalty lies on the ground.
    const key = [app.surface, frame, app.colors, size.ratio, JSON.stringify(app.state.racers[app.selected])];
    const now = performance.now();
    const fresh = !same(done?.key ?? null, key);
    if (!fresh && (done.fine || now - changed < SETTLED)) return;
    const fine = !moving || !done || !fresh;
    if (fresh) changed = now;
    if (heightsOf !== app.surface) [heightsOf, heights] = [app.surface, createHeights(app.surface)];
    done = { key, fine };
    repaint(frame, size, fine);
    clearTimeout(timer);
    if (!fine) timer = setTimeout(() => app.invalidate(), SETTLED + 10);
  };

  const repaint = (frame, { width, height, ratio }, fine) => {
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.fillStyle = app.colors.page;
    ink.fillRect(0, 0, width + 1, height + 1); // the last pixel may lie half outside
    drawAll(ink, app, frame, heights, { colors: app.colors, pixels: ratio, fine });
  };
  return { canvas, update, destroy: () => clearTimeout(timer) };
}

/** Where the buttons lie over the picture. */
const buttonsOf = ({ rect }) => ({ x: rect.right - 25, y: rect.bottom - 45 });

function drawAll(ink, app, frame, heights, options) {
  const { surface, colors } = app;
  const ground = computeGround(surface, heights, frame, options);
  const minima = surface.minima.map(([x, y]) => ({ x: frame.px(x), y: frame.py(y) }));
  inside(ink, frame.rect, () => {
    drawGround(ink, ground, frame, colors, options.fine);
    drawLevels(ink, ground.lines, frame, colors, [...minima, buttonsOf(frame)]);
    drawPenalty(ink, app, frame);
    drawMinima(ink, frame, surface.minima, colors);
    drawSlicePath(ink, app, frame);
  });
  drawAxes(ink, frame, surface.axes ?? surface.names, colors);
}
