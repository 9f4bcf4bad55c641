/** The race on the surface in three dimensions. */

import { h } from "../ui/dom.js";
import { fit, labelOf, sizeOf } from "./contour.js";
import { createCamera, START } from "./gl/camera.js";
import { meet } from "./gl/field.js";
import { createScene } from "./gl/scene.js";
import { createHandle } from "./handle.js";
import { zoomButtons } from "./stage-buttons.js";
import { createReadout } from "./stage-readout.js";
import { drawOverlay } from "./surface3d-overlay.js";
import { listenToOrbit } from "./surface3d-orbit.js";
import { createLabels } from "./trails-labels.js";

const MISSING = "This browser offers no WebGL2, which the 3-D view needs. The contour view shows the same race.";

/** The camera of the state. */
export const poseOf = (app) => app.state.view.camera ?? START;

/**
 * @param {HTMLElement} el
 * @param {object} app
 * @returns {{ draw: () => void, resize: () => void, destroy: () => void, canvas: HTMLCanvasElement, label: () => string }}
 */
export function createSurface3d(el, app) {
  el.classList.add("stage-view");
  const picture = h("canvas", { class: "ground", tabindex: "0", role: "img" });
  const scene = createScene(app, picture);
  if (!scene) return missing(el, picture);
  const overlay = h("canvas", { class: "overlay", "aria-hidden": "true" }), ink = overlay.getContext("2d");
  el.append(picture, overlay);
  const labels = createLabels();
  let size = sizeOf(el);
  const camera = () => createCamera(poseOf(app), size, scene.field());
  const at = (x, y) => camera().project(...scene.field().place(x, y));
  const orbit = listenToOrbit(picture, app, at);
  const toPlane = (px, py) => {
    const found = meet(scene.field(), camera().ray(px, py));
    return found && scene.field().plane(found[0], found[1]);
  };
  const handle = createHandle(el, app, { toPlane, shown: () => app.surface.box });
  const readout = createReadout(el, app);
  const buttons = zoomButtons(el, { ...orbit, isReset: () => !app.state.view.camera });

  const draw = () => {
    if (size.width < 60 || size.height < 60) return;
    fit(picture, size);
    fit(overlay, size);
    const eye = camera();
    if (!scene.paint(eye, size)) return;
    drawOverlay(ink, app, { field: scene.field(), camera: eye, size, labels });
    const [x, y] = at(...app.state.start);
    handle.place(x, y);
    readout.show(orbit.pointing() ? placeOfHover(app, at) : null, size);
    buttons.update();
  };
  const destroy = () => {
    scene.destroy();
    handle.destroy();
    el.replaceChildren();
  };
  return { draw, resize: () => (size = sizeOf(el)), destroy, canvas: picture, label: () => labelOf(app, "Surface") };
}

function placeOfHover(app, at) {
  const path = app.hover && app.paths[app.hover.racer];
  if (!path) return null;
  const k = Math.min(app.hover.step, path.x.length - 1), [x, y] = at(path.x[k], path.y[k]);
  return { x, y };
}

function missing(el, canvas) {
  el.append(h("p", { class: "stage-missing" }, MISSING));
  const nothing = () => {};
  return { draw: nothing, resize: nothing, destroy: () => el.replaceChildren(), canvas, label: () => MISSING };
}
