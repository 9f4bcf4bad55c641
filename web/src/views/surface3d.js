/** The race on the surface in three dimensions. */

import { h } from "../ui/dom.js";
import { fit, labelOf, measured } from "./contour.js";
import { meet } from "./gl/field.js";
import { createHandle } from "./handle.js";
import { startPlaceOn } from "./handle-ring.js";
import { zoomButtons } from "./stage-buttons.js";
import { placeOfHover } from "./stage-input.js";
import { createReadout } from "./stage-readout.js";
import { listenToOrbit } from "./surface3d-orbit.js";
import { createSurfacePicture } from "./surface3d-picture.js";

const MISSING =
  "This browser offers no WebGL2, which the 3-D view needs. The contour view shows the same race.";

/**
 * @param {HTMLElement} el
 * @param {object} app
 * @returns {{ draw: () => void, resize: () => void, destroy: () => void, canvas: HTMLCanvasElement, label: ()
 *   => string }}
 */
export function createSurface3d(el, app) {
  el.classList.add("stage-view");
  const ground = h("canvas", { class: "ground", tabindex: "0", role: "img" });
  const picture = createSurfacePicture(app, ground, { moving: true, taken: () => [buttons.room(size.unit)] });
  if (!picture) return missing(el, ground);
  const overlay = h("canvas", { class: "overlay", "aria-hidden": "true" });
  const ink = overlay.getContext("2d");
  el.append(ground, overlay);
  let size = measured(el);
  /** Where places of the plane are on the canvas, as the camera stands now. */
  const placing = () => {
    const [camera, field] = [picture.camera(size), picture.field()];
    return (x, y) => camera.project(...field.place(x, y));
  };
  const at = (x, y) => placing()(x, y);
  const orbit = listenToOrbit(ground, app, placing);
  const toPlane = (px, py) => {
    const found = meet(picture.field(), picture.camera(size).ray(px, py));
    return found && picture.field().plane(found[0], found[1]);
  };
  const handle = createHandle(el, app, { toPlane, shown: () => app.surface.box });
  const readout = createReadout(el, app);
  const buttons = zoomButtons(el, { ...orbit, isReset: () => !app.state.view.camera });

  const draw = () => {
    if (size.width < 60 || size.height < 60) return;
    fit(overlay, size);
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, overlay.width, overlay.height);
    buttons.update();
    picture.paint(ink, size);
    const { x, y } = startPlaceOn(app, at, size);
    handle.place(x, y, size.unit);
    readout.show(orbit.pointing() ? placeOfHover(app, at) : null, size);
  };
  const destroy = () => {
    picture.destroy();
    handle.destroy();
    el.replaceChildren();
  };
  return {
    draw,
    resize: () => (size = measured(el)),
    destroy,
    canvas: ground,
    label: () => labelOf(app, "Surface"),
  };
}

function missing(el, canvas) {
  el.append(h("p", { class: "chart-empty" }, MISSING));
  const nothing = () => {};
  return {
    draw: nothing,
    resize: nothing,
    destroy: () => el.replaceChildren(),
    canvas,
    label: () => MISSING,
  };
}
