/** The lit surface. */

import { channels, groundPixels, SHADES } from "../contour-colours.js";
import { HEIGHT } from "./camera.js";
import { surfaceProgram } from "./programs.js";

/** What the vertices carry: height, colour, number of the level below with the share to the next, and both slopes. */
function vertices({ values, shares, side, levels }) {
  const data = new Float32Array(5 * side * side), at = (i, j) => values[clamp(i, side) * side + clamp(j, side)];
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
  const low = k ? levels[k - 1] : 0, high = k < levels.length ? levels[k] : 2 - low;
  return k + Math.min((height - low) / (high - low), 1);
}

function triangles(side) {
  const found = new Uint32Array(6 * (side - 1) ** 2);
  let n = 0;
  for (let i = 0; i < side - 1; i++) {
    for (let j = 0; j < side - 1; j++) {
      const k = i * side + j;
      found.set([k, k + 1, k + side, k + 1, k + side + 1, k + side], n);
      n += 6;
    }
  }
  return found;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @returns {{ load: (field: object) => void, draw: (matrix: Float32Array, colors: object) => void }}
 */
export function createMesh(gl) {
  const { program, at } = surfaceProgram(gl), array = gl.createVertexArray(), buffer = gl.createBuffer();
  const ramp = gl.createTexture();
  let field = null, count = 0, painted = null;
  gl.bindVertexArray(array);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  [[0, 3, 0], [1, 2, 12]].forEach(([k, numbers, offset]) => {
    gl.enableVertexAttribArray(k);
    gl.vertexAttribPointer(k, numbers, gl.FLOAT, false, 20, offset);
  });
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());

  const load = (next) => {
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, vertices(next), gl.STATIC_DRAW);
    if (field?.side !== next.side) {
      const indices = triangles(next.side);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
      count = indices.length;
    }
    field = next;
  };

  const paint = (dark) => {
    painted = dark;
    gl.bindTexture(gl.TEXTURE_2D, ramp);
    const pixels = new Uint8Array(groundPixels(dark, "#000000").buffer);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, SHADES, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    for (const [name, value] of [["MIN_FILTER", gl.LINEAR], ["WRAP_S", gl.CLAMP_TO_EDGE], ["WRAP_T", gl.CLAMP_TO_EDGE]]) {
      gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], value);
    }
  };

  const draw = (matrix, { dark, ink }) => {
    if (painted !== dark) paint(dark);
    gl.useProgram(program);
    gl.bindVertexArray(array);
    gl.bindTexture(gl.TEXTURE_2D, ramp);
    gl.uniformMatrix4fv(at.camera, false, matrix);
    gl.uniform3f(at.block, field.sx, field.sy, HEIGHT);
    gl.uniform1i(at.side, field.side);
    gl.uniform4f(at.line, ...channels(ink).map((v) => v / 255), dark ? 0.3 : 0.26);
    gl.uniform3f(at.shadow, ...(dark ? [0.62, 0.68, 0.72] : [0.74, 0.8, 0.86]));
    gl.uniform3f(at.light, ...(dark ? [0.62, 0.6, 0.55] : [0.3, 0.25, 0.18]));
    gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_INT, 0);
  };
  return { load, draw };
}
