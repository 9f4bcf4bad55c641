/**
 * The picture of the 3-D view: the surface, and over it a canvas with trails and everything that is written.
 */

import { createCamera, START } from "./gl/camera.js";
import { createScene } from "./gl/scene.js";
import { drawBlock, drawFront } from "./surface3d-overlay.js";
import { createProjectedTrails } from "./surface3d-trails.js";
import { createLabels } from "./trails-labels.js";
import { createTrailLayer } from "./trails.js";

/**
 * @param {object} app
 * @param {HTMLCanvasElement} ground for the graphics card
 * @param {{ moving?: boolean, taken?: () => object[] }} [options] moving: a picture that turns may be
 *   coarser, and is refined later; taken: boxes that stand on the canvas, for labels to avoid
 * @returns {object | null} null where there is no WebGL2
 */
export function createSurfacePicture(app, ground, { moving = false, taken = () => [] } = {}) {
  const scene = createScene(app, ground, { moving });
  if (!scene) return null;
  const trails = createProjectedTrails();
  const layer = createTrailLayer((ink, stretch) => trails.draw(ink, app, stretch));
  const labels = createLabels();
  let camera = null;
  let key = [];
  let racers = null;

  const cameraOf = (size) => {
    const now = [scene.field(), size.width, size.height, String(app.state.view.camera ?? START)];
    if (now.some((value, k) => value !== key[k]))
      camera = createCamera(app.state.view.camera ?? START, size, now[0]);
    key = now;
    return camera;
  };

  /** Paints the surface on its canvas and the rest with a pen that begins on an empty canvas. */
  const paint = (ink, size) => {
    const eye = cameraOf(size);
    const field = scene.field();
    const look = [app.state.racers, app.colors, size.ratio];
    scene.paint(eye, size);
    const moved = trails.update(app, field, eye);
    if (moved || !racers || look.some((value, k) => value !== racers[k])) layer.forget();
    racers = look;
    layer.update(app, size);
    ink.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    drawBlock(ink, app, { field, camera: eye, border: trails.border(), width: size.width });
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.drawImage(layer.canvas, 0, 0);
    ink.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    trails.drawTip(ink, app, field, eye);
    drawFront(ink, app, { field, camera: eye, size, labels, taken: taken() });
  };
  return { paint, camera: cameraOf, field: scene.field, destroy: scene.destroy };
}
