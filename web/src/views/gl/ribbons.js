/** The trails as ribbons that lie on the surface and always face the eye. */

import { channels } from "../contour-colours.js";
import { clipped } from "../trails-lines.js";
import { paintOrder, penOf } from "../trails.js";
import { ribbonProgram } from "./programs.js";

/** Trails float this far above the surface. */
export const LIFT = 0.004;
/** A piece of a ribbon spans at most this share of the surface's sides, so that it follows the ground. */
const PIECE = 1 / 90;
/** Steps that move by less are drawn with the next one. */
const FINEST = 1 / 1500;
const SQUARE = { left: 0, top: 0, right: 1, bottom: 1 };
/** A dash and its gap, as a share of the surface's sides. */
const DASH = 0.028;

const isInside = (u, v) => u >= 0 && u <= 1 && v >= 0 && v <= 1;

/**
 * The points of a path on the surface, four numbers each: a place of the block, and the length of the trail before;
 * minus that and 1 where no ribbon leads to a point. And for each step, how many points reach it.
 * @returns {{ points: Float32Array, reached: Uint32Array }}
 */
export function ribbonOf({ x, y }, field) {
  const points = [], reached = new Uint32Array(x.length), { sx, sy, top } = field;
  const push = (u, v, length) => {
    const a = (u - 0.5) * sx, b = (v - 0.5) * sy;
    points.push(a, b, top(a, b) + LIFT, length);
  };
  let au = field.u(x[0]), av = field.v(y[0]), along = 0, joined = false;
  for (let k = 1; k < x.length; k++) {
    const bu = field.u(x[k]), bv = field.v(y[k]), size = Math.hypot(bu - au, bv - av);
    const far = !(size < Infinity), short = size < FINEST && k < x.length - 1;
    if (!far && !short) {
      const near = isInside(au, av) || isInside(bu, bv), piece = near ? clipped(au, av, bu, bv, SQUARE, 0) : null;
      if (piece) pushPieces(push, piece, along, joined);
      joined = piece !== null && isInside(bu, bv);
      along += size;
      [au, av] = [bu, bv];
    }
    reached[k] = points.length / 4;
  }
  return { points: Float32Array.from(points), reached };
}

function pushPieces(push, [au, av, bu, bv], along, joined) {
  const size = Math.hypot(bu - au, bv - av), pieces = Math.max(Math.ceil(size / PIECE), 1);
  if (!joined) push(au, av, -1 - along);
  for (let n = 1; n <= pieces; n++) {
    const t = n / pieces;
    push(au + t * (bu - au), av + t * (bv - av), along + t * size);
  }
}

/**
 * @param {WebGL2RenderingContext} gl
 * @returns {{ load: (paths: object[], field: object) => void, draw: (app: object, view: object) => void }}
 */
export function createRibbons(gl) {
  const { program, at } = ribbonProgram(gl), array = gl.createVertexArray(), buffer = gl.createBuffer();
  let trails = [];
  gl.bindVertexArray(array);
  for (const k of [0, 1]) {
    gl.enableVertexAttribArray(k);
    gl.vertexAttribDivisor(k, 1);
  }

  const load = (paths, field) => {
    const made = paths.map((path) => ribbonOf(path, field));
    const all = new Float32Array(made.reduce((sum, { points }) => sum + points.length, 0));
    let first = 0;
    trails = made.map(({ points, reached }) => {
      all.set(points, 4 * first);
      first += points.length / 4;
      return { first: first - points.length / 4, reached };
    });
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, all, gl.DYNAMIC_DRAW);
  };

  /** One ribbon from its begin to the playhead. */
  const stroke = (app, index, { width, lift, tint }) => {
    const { first, reached } = trails[index], step = Math.min(Math.ceil(app.step), reached.length - 1);
    const pieces = reached[step] - 1;
    if (pieces < 1) return;
    for (const k of [0, 1]) gl.vertexAttribPointer(k, 4, gl.FLOAT, false, 16, 16 * (first + k));
    gl.uniform1f(at.width, width);
    gl.uniform1f(at.lift, lift);
    gl.uniform4f(at.tint, ...tint);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, pieces);
  };

  const draw = (app, { matrix, size, halo }) => {
    gl.useProgram(program);
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.uniformMatrix4fv(at.camera, false, matrix);
    gl.uniform2f(at.pixels, size.width, size.height);
    const order = paintOrder(app);
    for (const index of order) {
      const pen = penOf(app, index), colour = (css, alpha) => [...channels(css).map((v) => v / 255), alpha];
      gl.uniform1f(at.dash, 0);
      if (pen.rim) stroke(app, index, { width: pen.width + 2.4, lift: 0.0006, tint: colour(halo, 1) });
      gl.uniform1f(at.dash, pen.dash.length ? DASH : 0);
      stroke(app, index, { width: pen.width + 0.4, lift: 0.0012, tint: colour(pen.fill, 1) });
    }
    hidden(app, order);
  };

  /** What hills hide shines through faintly. */
  const hidden = (app, order) => {
    gl.depthFunc(gl.GREATER);
    gl.depthMask(false);
    for (const index of order) {
      const { fill, width } = penOf(app, index);
      stroke(app, index, { width: width * 0.7, lift: 0, tint: [...channels(fill).map((v) => v / 255), 0.3] });
    }
    gl.depthMask(true);
    gl.depthFunc(gl.LEQUAL);
  };
  return { load, draw };
}
