/** The picture of the 3-D view without what is written on it: a canvas of its own, on the graphics card. */

import { haloOf } from "../contour-colours.js";
import { createField } from "./field.js";
import { createMesh } from "./mesh.js";
import { createRibbons } from "./ribbons.js";
import { channels } from "../contour-colours.js";

/**
 * @param {object} app
 * @param {HTMLCanvasElement} canvas
 * @returns {{ field: () => object, paint: (camera: object, size: object) => boolean, destroy: () => void } | null} null
 *   where there is no WebGL2
 */
export function createScene(app, canvas) {
  const gl = canvas.getContext("webgl2", { alpha: false, antialias: true, powerPreference: "low-power" });
  if (!gl) return null;
  let mesh = null, ribbons = null, field = null, loaded = {};
  const begin = () => {
    mesh = createMesh(gl);
    ribbons = createRibbons(gl);
    loaded = {};
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
  const load = () => {
    fieldNow();
    if (loaded.field !== field) mesh.load(field);
    if (loaded.field !== field || loaded.paths !== app.paths) ribbons.load(app.paths, field);
    loaded = { field, paths: app.paths };
  };
  const paint = (camera, size) => {
    if (gl.isContextLost()) return false;
    load();
    const matrix = camera.matrix(), { colors } = app;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(...channels(colors.page).map((v) => v / 255), 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    mesh.draw(matrix, colors);
    ribbons.draw(app, { matrix, size, halo: haloOf(colors) });
    return true;
  };
  return { field: fieldNow, paint, destroy: () => gl.getExtension("WEBGL_lose_context")?.loseContext() };
}
