/** The trails on the 3-D surface: they follow the ground, and hills hide them. */

import { isHidden } from "./gl/field.js";
import { clipped } from "./trails-lines.js";
import { drawLine, paintOrder, penOf } from "./trails.js";

/** Trails float this far above the surface. */
const LIFT = 0.004;
/** A piece of a trail spans at most this share of the surface's sides, so that it follows the ground. */
const PIECE = 1 / 80;
/** Steps that move a racer by less, as a share of the sides, are drawn with the next: a tenth of a pixel. */
const STILL = 1e-4;
/** Pieces shorter than this are drawn with the next one, in CSS pixels. */
const FINEST = 0.7;
const SQUARE = { left: 0, top: 0, right: 1, bottom: 1 };
/** How much of the colour is left of what a hill hides. */
const BEHIND = 0.28;

const isInside = (u, v) => u >= 0 && u <= 1 && v >= 0 && v <= 1;

/**
 * The points of a path on the block, four numbers each: a place, and 1 where a piece leads to it, else 0; and
 * for each step how many points reach it.
 * @returns {{ points: Float64Array, reached: Uint32Array }}
 */
export function drape({ x, y }, { u, v, sx, sy, top }) {
  const points = [];
  const reached = new Uint32Array(x.length);
  const push = (pu, pv, joined) => {
    const a = (pu - 0.5) * sx;
    const b = (pv - 0.5) * sy;
    points.push(a, b, top(a, b) + LIFT, joined);
  };
  let au = u(x[0]);
  let av = v(y[0]);
  let joined = false;
  for (let k = 1; k < x.length; k++) {
    const bu = u(x[k]);
    const bv = v(y[k]);
    const size = Math.abs(bu - au) + Math.abs(bv - av);
    if (size >= STILL) {
      const near = isInside(au, av) || isInside(bu, bv);
      const piece = near ? clipped(au, av, bu, bv, SQUARE, 0) : null;
      if (piece) pushPieces(push, piece, joined);
      joined = piece !== null && isInside(bu, bv);
      [au, av] = [bu, bv];
    }
    reached[k] = points.length / 4;
  }
  return { points: Float64Array.from(points), reached };
}

function pushPieces(push, [au, av, bu, bv], joined) {
  const pieces = Math.max(Math.ceil(Math.hypot(bu - au, bv - av) / PIECE), 1);
  if (!joined) push(au, av, 0);
  for (let n = 1; n <= pieces; n++) push(au + ((bu - au) * n) / pieces, av + ((bv - av) * n) / pieces, 1);
}

/**
 * Draped points as pieces on the canvas, those in sight and those behind a hill.
 * @returns {{ seen: object, behind: object }} each with `pieces` as `strokePieces` takes them, and `until`,
 *   how many there are at each step
 */
export function project({ points, reached }, field, camera) {
  const last = points.length / 4 - 1;
  const lists = [0, 1].map(() => ({
    pieces: new Float64Array(5 * Math.max(last, 0)),
    count: 0,
    until: new Uint32Array(reached.length),
  }));
  let x = 0;
  let y = 0;
  let hidden = false;
  let along = 0;
  for (let step = 1, k = 0; step < reached.length; step++) {
    for (; k < reached[step]; k++) {
      const at = 4 * k;
      const place = [points[at], points[at + 1], points[at + 2]];
      const joined = points[at + 3];
      const [bx, by] = camera.project(place[0], place[1], place[2]);
      const size = Math.abs(bx - x) + Math.abs(by - y);
      if (joined && size < FINEST && k < last) continue;
      const now = isHidden(field, place, camera.eye);
      const list = lists[now && hidden ? 1 : 0];
      if (joined) list.pieces.set([x, y, bx, by, along], 5 * list.count++);
      if (joined) along += size;
      [x, y, hidden] = [bx, by, now];
    }
    for (const list of lists) list.until[step] = list.count;
  }
  return { seen: lists[0], behind: lists[1] };
}

const part = ({ pieces, until }, from, to) => {
  const [first, end] = [from, to].map((step) => until[Math.min(step, until.length - 1)]);
  return { pieces: pieces.subarray(5 * first, 5 * end), count: end - first };
};

/** Draws a stretch of a projected trail. */
export function drawProjected(ink, { seen, behind }, pen, from, to) {
  ink.lineJoin = "round";
  ink.globalAlpha = BEHIND;
  drawLine(ink, part(behind, from, to), { ...pen, rim: null });
  ink.globalAlpha = 1;
  drawLine(ink, part(seen, from, to), pen);
}

/**
 * The trails of all racers as seen by a camera; they are projected again only when something moved.
 * @returns {{ update: (app: object, field: object, camera: object) => boolean, draw: Function, drawTip:
 *   Function, border: () => object }} border: what is in sight of the border of the surface
 */
export function createProjectedTrails() {
  let draped = [];
  let shown = [];
  let key = [];
  let border = null;
  const update = (app, field, camera) => {
    const now = [app.paths, field, camera];
    if (now.every((value, k) => value === key[k])) return false;
    if (now[1] !== key[1] || now[2] !== key[2])
      border = project(drape(borderOf(field), field), field, camera).seen;
    if (now[0] !== key[0] || now[1] !== key[1]) draped = app.paths.map((path) => drape(path, field));
    shown = draped.map((path) => project(path, field, camera));
    key = now;
    return true;
  };
  const draw = (ink, app, { from, to }) => {
    for (const i of paintOrder(app)) drawProjected(ink, shown[i], penOf(app, i), from, to);
  };
  /** What lies between the last whole step and the playhead. */
  const drawTip = (ink, app, field, camera) => {
    const step = Math.floor(app.step);
    const share = app.step - step;
    for (const i of share > 0 ? paintOrder(app) : []) {
      const { x, y } = app.paths[i];
      if (step + 1 >= x.length) continue;
      const tip = {
        x: [x[step], x[step] + (x[step + 1] - x[step]) * share],
        y: [y[step], y[step] + (y[step + 1] - y[step]) * share],
      };
      drawProjected(ink, project(drape(tip, field), field, camera), penOf(app, i), 0, 1);
    }
  };
  return { update, draw, drawTip, border: () => border };
}

/** The border of the surface, as a path around it. */
function borderOf({
  surface: {
    box: [x0, x1, y0, y1],
  },
}) {
  return { x: [x0, x1, x1, x0, x0], y: [y0, y0, y1, y1, y0] };
}
