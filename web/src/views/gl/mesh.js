/** The lit surface. */

import { channels } from "../colour.js";
import { groundPixels, SHADES } from "../contour-colours.js";
import { HEIGHT } from "./camera.js";
import { SIDE } from "./field.js";
import { surfaceProgram } from "./programs.js";

/** While it turns the mesh has every second point of each row and column: a quarter of the triangles. */
const COARSE = 2;

/**
 * What the vertices carry: height, colour, number of the level below with the share to the next, and both
 * slopes.
 */
function vertices({ values, shares, levels }) {
  const side = SIDE;
  const data = new Float32Array(5 * side * side);
  const at = (i, j) => values[clamp(i, side) * side + clamp(j, side)];
  for (let i = 0, k = 0; i < side; i++) {
    for (let j = 0; j < side; j++, k += 5) {
      data[k] = at(i, j);
      data[k + 1] = shares[i * side + j];
      data[k + 2] = levelOf(levels, shares[i * side + j]);
      data[k + 3] = ((at(i, j + 1) - at(i, j - 1)) * (side - 1)) / (clamp(j + 1, side) - clamp(j - 1, side));
      data[k + 4] = ((at(i + 1, j) - at(i - 1, j)) * (side - 1)) / (clamp(i + 1, side) - clamp(i - 1, side));
    }
  }
  return data;
}

const clamp = (k, side) => Math.min(Math.max(k, 0), side - 1);

/** How many levels lie below a height, and how far it is to the next: whole at the levels. */
function levelOf(levels, height) {
  let k = 0;
  while (k < levels.length && levels[k] <= height) k++;
  // The scale ends above the highest place, so that no line is drawn there.
  const low = k ? levels[k - 1] : 0;
  const high = k < levels.length ? levels[k] : 2 - low;
  return k + Math.min((height - low) / (high - low), 1);
}

/** The triangles between the points of every so many rows and columns of a square, three numbers each. */
export function triangles(side, every) {
  const found = new Uint16Array(6 * ((side - 1) / every) ** 2);
  const [right, up] = [every, every * side];
  let n = 0;
  for (let i = 0; i < side - 1; i += every) {
    for (let j = 0; j < side - 1; j += every) {
      const k = i * side + j;
      found.set([k, k + right, k + up, k + right, k + up + right, k + up], n);
      n += 6;
    }
  }
  return found;
}

/** The numbers that each vertex has in each attribute. */
const ATTRIBUTES = [3, 2];

/** Vertices: `load` gives them the values of a field, `draw` draws the mesh with every so many of them. */
function createVertices(gl) {
  const array = gl.createVertexArray();
  const buffer = gl.createBuffer();
  gl.bindVertexArray(array);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  ATTRIBUTES.forEach((numbers, k) => {
    gl.enableVertexAttribArray(k);
    gl.vertexAttribPointer(k, numbers, gl.FLOAT, false, 20, 12 * k);
  });
  const meshes = new Map([1, COARSE].map((every) => [every, createTriangles(gl, triangles(SIDE, every))]));
  const load = (field) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, vertices(field), gl.STATIC_DRAW);
  };
  const draw = (every) => {
    const { indices, count } = meshes.get(every);
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indices);
    gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_SHORT, 0);
  };
  return { load, draw };
}

function createTriangles(gl, numbers) {
  const indices = gl.createBuffer();
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indices);
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, numbers, gl.STATIC_DRAW);
  return { indices, count: numbers.length };
}

/** The colours of heights as a texture; `bind` is told the theme. */
function createRamp(gl) {
  const texture = gl.createTexture();
  let painted = null;
  const paint = (dark) => {
    const pixels = new Uint8Array(groundPixels(dark, "#000000").buffer);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, SHADES, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  };
  return (dark) => {
    gl.bindTexture(gl.TEXTURE_2D, texture);
    if (painted !== dark) paint(dark);
    painted = dark;
  };
}

/**
 * @param {WebGL2RenderingContext} gl
 * @returns {{ load: (field: object) => void, draw: (matrix: Float32Array, colors: object, fine: boolean)
 *   => void }} fine: with every point of the field
 */
export function createMesh(gl) {
  const { program, at } = surfaceProgram(gl);
  const mesh = createVertices(gl);
  const bindRamp = createRamp(gl);
  let field = null;
  const load = (next) => {
    field = next;
    mesh.load(next);
  };
  const draw = (matrix, { dark, ink }, fine) => {
    gl.useProgram(program);
    bindRamp(dark);
    gl.uniformMatrix4fv(at.camera, false, matrix);
    gl.uniform3f(at.block, field.sx, field.sy, HEIGHT);
    gl.uniform1i(at.side, SIDE);
    gl.uniform4f(at.line, ...channels(ink).map((v) => v / 255), dark ? 0.3 : 0.26);
    gl.uniform3f(at.shadow, ...(dark ? [0.62, 0.68, 0.72] : [0.74, 0.8, 0.86]));
    gl.uniform3f(at.light, ...(dark ? [0.62, 0.6, 0.55] : [0.3, 0.25, 0.18]));
    mesh.draw(fine ? 1 : COARSE);
  };
  return { load, draw };
}
