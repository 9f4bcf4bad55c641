/** What is written and drawn over the 3-D surface: axes, heads, names, the start. */

import { short } from "../ui/numbers.js";
import { tickTexts, ticks } from "./chart-scale.js";
import { font, lowered, withoutNote } from "./text.js";
import { createFrame } from "./contour-frame.js";
import { HEIGHT } from "./gl/camera.js";
import { isHidden } from "./gl/field.js";
import { drawStart, roomOf, startPlaceOn } from "./handle-ring.js";
import { drawProjected } from "./surface3d-trails.js";
import { drawEnds, exitsOf } from "./trails-ends.js";
import { drawHead, headOf, paintOrder } from "./trails.js";

/** Pixels between a name and the border of the canvas. */
const EDGE = 8;
/** The height that the lowest and the highest loss and a word between them take. */
const THREE_LINES = 40;
const EMPTY = { pieces: new Float64Array(0), until: [0] };
const CORNERS = [
  [-0.5, -0.5],
  [0.5, -0.5],
  [0.5, 0.5],
  [-0.5, 0.5],
];

/**
 * Draws what moves over the surface: heads, ends, names and the start.
 * @param {CanvasRenderingContext2D} ink
 * @param {object} app
 * @param {{ field: object, camera: object, size: object, labels: Function, taken: object[] }} view
 */
export function drawFront(ink, app, { field, camera, size: { width, height }, labels, taken }) {
  const rect = { left: 4, top: 4, right: width - 4, bottom: height - 4 };
  const at = (x, y) => camera.project(...field.place(x, y));
  const [x0, x1, y0, y1] = app.surface.box;
  const plane = flatFrame([x0, x1, y0, y1]);
  const start = startPlaceOn(app, at, { width, height });
  drawStart(ink, app, start);
  const heads = paintOrder(app).map((index) => ({ index, ...headOf(app.paths[index], app.step, plane) }));
  const exits = exitsOf(app, plane);
  const gone = new Set(exits.map(({ index }) => index));
  const seen = heads
    .filter(({ index }) => !gone.has(index))
    .map((head) => drawSeen(ink, app, field, camera, head));
  drawPointed(ink, app, at, plane);
  const boxes = drawEnds(
    ink,
    app,
    exits.map((exit) => turned(exit, at)),
    rect,
    taken,
  );
  labels(ink, app, rect, seen, [...boxes, ...taken, roomOf(start)]);
}

/** The plane itself as a frame, so that what left the box is found as on the contour view. */
function flatFrame([x0, x1, y0, y1]) {
  return {
    ...createFrame([x0, x1, y0, y1], { left: x0, right: x1, top: y1, bottom: y0 }),
    rect: { left: x0, right: x1, top: y0, bottom: y1 },
    px: (x) => x,
    py: (y) => y,
    contains: (x, y) => x >= x0 && x <= x1 && y >= y0 && y <= y1,
    atHome: () => false,
  };
}

/** A place where a racer left, on the canvas, with the direction in which it went. */
function turned(exit, at) {
  const [x, y] = at(exit.x, exit.y);
  if (Number.isNaN(exit.angle)) return { ...exit, x, y };
  const far = 1e-3 * Math.hypot(exit.x, exit.y) + 1e-6;
  const [bx, by] = at(exit.x - far * Math.cos(exit.angle), exit.y - far * Math.sin(exit.angle));
  return { ...exit, x, y, angle: Math.atan2(y - by, x - bx) };
}

function drawSeen(ink, app, field, camera, { index, x, y }) {
  const place = field.place(x, y);
  const [px, py] = camera.project(...place);
  ink.globalAlpha = isHidden(field, place, camera.eye) ? 0.4 : 1;
  drawHead(ink, app, index, { x: px, y: py });
  ink.globalAlpha = 1;
  return { index, x: px, y: py };
}

function drawPointed(ink, app, at, plane) {
  const { hover, colors } = app;
  const path = hover && app.paths[hover.racer];
  if (!path || app.state.racers[hover.racer]?.hidden) return;
  const k = Math.min(hover.step, path.x.length - 1);
  if (!plane.contains(path.x[k], path.y[k])) return;
  const [x, y] = at(path.x[k], path.y[k]);
  ink.beginPath();
  ink.arc(x, y, 7.5, 0, 2 * Math.PI);
  ink.lineWidth = 2.4;
  ink.strokeStyle = colors.ink;
  ink.stroke();
}

/**
 * The border of the surface, the floor, the ticks of both coordinates on its edges in front, the loss at a
 * corner.
 */
export function drawBlock(ink, app, { field, camera, border, width }) {
  const { colors } = app;
  const floor = ([u, v], z = 0) => camera.project(u * field.sx, v * field.sy, z);
  ink.lineWidth = 1;
  ink.strokeStyle = colors.line;
  const behind = CORNERS.reduce((far, corner) => (floor(corner)[2] > floor(far)[2] ? corner : far));
  ink.beginPath();
  CORNERS.forEach((corner, k) => {
    const next = CORNERS[(k + 1) % 4];
    if (corner === behind || next === behind) return;
    ink.moveTo(...floor(corner).slice(0, 2));
    ink.lineTo(...floor(next).slice(0, 2));
  });
  ink.stroke();
  if (!field.holes)
    drawProjected(
      ink,
      { seen: border, behind: EMPTY },
      { fill: colors.soft, rim: null, dash: [], width: 1 },
      0,
      4,
    );
  ink.strokeStyle = colors.line;
  ink.lineWidth = 1;
  ink.fillStyle = colors.soft;
  ink.font = font(12);
  ink.textBaseline = "middle";
  const nearer = (a, b) => (floor(a)[2] < floor(b)[2] ? a : b);
  const [x0, x1, y0, y1] = app.surface.box;
  const [nameX, nameY] = (app.surface.axes ?? app.surface.names).map(lowered);
  drawEdge(ink, floor, nearer([0, -0.5], [0, 0.5]), 0, [x0, x1], [nameX, width]);
  drawEdge(ink, floor, nearer([-0.5, 0], [0.5, 0]), 1, [y0, y1], [nameY, width]);
  drawLoss(ink, field, floor);
}

function drawEdge(ink, floor, middle, axis, [low, high], [name, width]) {
  const at = (share) => floor(middle.map((v, k) => (k === axis ? share - 0.5 : v)));
  const centre = floor([0, 0]);
  const [mx, my] = at(0.5);
  const size = Math.hypot(mx - centre[0], my - centre[1]) || 1;
  const away = [(mx - centre[0]) / size, (my - centre[1]) / size];
  const [a, b] = [at(0), at(1)];
  const length = Math.hypot(a[0] - b[0], a[1] - b[1]);
  const values = ticks(low, high, Math.max(2, length / 80));
  const texts = tickTexts(values);
  ink.textAlign = Math.abs(away[0]) < 0.3 ? "center" : away[0] > 0 ? "left" : "right";
  values.forEach((value, k) => {
    const [x, y] = at((value - low) / (high - low));
    ink.beginPath();
    ink.moveTo(x, y);
    ink.lineTo(x + away[0] * 5, y + away[1] * 5);
    ink.stroke();
    ink.fillText(texts[k], x + away[0] * 9, y + away[1] * 9 + 2);
  });
  ink.save();
  ink.font = `italic ${font(13)}`;
  writeInside(ink, name, mx + away[0] * 40, my + away[1] * 34 + 2, width);
  ink.restore();
}

/** A name that is too long for its side loses what stands in parentheses, and moves inwards. */
function writeInside(ink, name, x, y, width) {
  const lengthOf = (text) => ink.measureText(text).width;
  const room = ink.textAlign === "left" ? width - x : ink.textAlign === "right" ? x : width;
  const text = lengthOf(name) < room - EDGE ? name : withoutNote(name);
  const over = Math.max(0, lengthOf(text) - room + EDGE);
  ink.fillText(text, ink.textAlign === "left" ? x - over : x + over, y);
}

/** The loss at the leftmost edge: its lowest and its highest value. */
function drawLoss(ink, { heights: { low, high } }, floor) {
  const left = CORNERS.reduce((best, corner) => (floor(corner)[0] < floor(best)[0] ? corner : best));
  const [bottom, top] = [floor(left), floor(left, HEIGHT)];
  ink.beginPath();
  ink.moveTo(bottom[0], bottom[1]);
  ink.lineTo(top[0], top[1]);
  ink.stroke();
  ink.textAlign = "right";
  ink.fillText(short(low), bottom[0] - 7, bottom[1] - 6);
  const between = bottom[1] - top[1] > THREE_LINES;
  ink.fillText(between ? short(high) : `loss ${short(high)}`, top[0] - 7, top[1] + 2);
  if (between) ink.fillText("loss", (bottom[0] + top[0]) / 2 - 7, (bottom[1] + top[1]) / 2);
}
