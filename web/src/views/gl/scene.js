/**
 * The lit surface on a canvas of its own, drawn by the graphics card, and only when it has to look different.
 */

import { channels } from "../colour.js";
import { createField } from "./field.js";
import { createMesh } from "./mesh.js";

/** Pixels at most; a still picture has twice as many each way as one that turns, which smooths its edges. */
const MOST = 6e6;
const SETTLED = 140;

/**
 * @param {object} app
 * @param {HTMLCanvasElement} canvas
 * @returns {{ field: () => object, paint: (camera: object, size: object) => void, destroy: () => void } |
 *   null} null where there is no WebGL2
 */
export function createScene(app, canvas, { moving = false } = {}) {
  const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
  if (!gl) return null;
  let mesh = null;
  let field = null;
  let loaded = null;
  let done = null;
  let timer = 0;
  const begin = () => {
    mesh = createMesh(gl);
    [loaded, done] = [null, null];
  };
  begin();
  // A lost picture comes back with everything to be loaded again.
  canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => {
    begin();
    app.invalidate();
  });

  const fieldNow = () => {
    if (field?.surface !== app.surface) field = createField(app.surface);
    return field;
  };
  const paint = (camera, size) => {
    const key = [fieldNow(), app.colors, size, String(camera.pose)];
    const now = performance.now();
    const fresh = !done || key.some((value, k) => value !== done.key[k]);
    if (!fresh && (done.still || now - done.since < SETTLED)) return;
    if (gl.isContextLost()) return;
    // The first picture is a still one; what changes often is refined when it rests.
    const still = !moving || !fresh || !done;
    done = { key, still, since: now };
    clearTimeout(timer);
    if (!still) timer = setTimeout(app.invalidate.bind(app), SETTLED + 10);
    render(camera, size, still);
  };
  const render = (camera, size, still) => {
    sharpen(canvas, size, still);
    if (loaded !== field) mesh.load(field);
    loaded = field;
    clear(gl, app.colors.page);
    mesh.draw(camera.matrix(), app.colors, still);
  };
  const destroy = () => {
    clearTimeout(timer);
    gl.getExtension("WEBGL_lose_context")?.loseContext();
  };
  return { field: fieldNow, paint, destroy };
}

/** Gives the canvas its pixels: more while nothing moves. */
function sharpen(canvas, { width, height, ratio }, still) {
  const fine = Math.min(still ? 2 * ratio : ratio, Math.sqrt(MOST / (width * height)));
  const [across, down] = [Math.round(width * fine), Math.round(height * fine)];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
}

function clear(gl, colour) {
  gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
  gl.clearColor(...channels(colour).map((v) => v / 255), 1);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.enable(gl.DEPTH_TEST);
}
