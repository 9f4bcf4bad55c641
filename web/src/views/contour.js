/** The race seen from above: contours of the loss, trails, and the start that a person drags. */

import { h } from "../ui/dom.js";
import { short } from "../ui/numbers.js";
import { nameOf } from "../state/racers.js";
import { createContourPicture } from "./contour-picture.js";
import { listenToGround } from "./contour-pointer.js";
import { createHandle } from "./handle.js";
import { startPlace } from "./handle-ring.js";
import { createHint } from "./stage-hint.js";
import { placeOfHover } from "./stage-input.js";
import { createReadout } from "./stage-readout.js";
import { zoomButtons } from "./stage-buttons.js";
import { sizeOf, USUAL } from "./unit.js";

/** The size of a stage view; the sizes of what stands on its canvas follow from that of its text. */
export function measured(el) {
  const size = sizeOf(el);
  el.style.fontSize = `${USUAL * size.unit}px`;
  return size;
}

/**
 * @param {HTMLElement} el
 * @param {object} app
 * @returns {{ draw: () => void, resize: () => void, destroy: () => void, canvas: HTMLCanvasElement, label: ()
 *   => string }}
 */
export function createContour(el, app) {
  el.classList.add("stage-view");
  const canvas = h("canvas", { class: "ground", tabindex: "0", role: "img" });
  const ink = canvas.getContext("2d", { alpha: false });
  el.append(canvas);
  const picture = createContourPicture(app, { moving: true, taken: () => [buttons.room(size.unit)] });
  let size = measured(el);
  const frame = () => picture.frame(size);
  const ground = listenToGround(canvas, app, frame);
  const toPlane = (px, py) => [frame().x(px), frame().y(py)];
  const handle = createHandle(el, app, { toPlane, shown: () => frame().shown });
  const readout = createReadout(el, app);
  const buttons = zoomButtons(el, { ...ground, isReset: () => !app.state.view.box });
  const hint = createHint(el, app);

  const resize = () => (size = measured(el));
  const draw = () => {
    if (size.width < 60 || size.height < 60) return;
    fit(canvas, size);
    buttons.update();
    hint.place(picture.paint(ink, size), frame().rect, size.unit);
    const { x, y } = startPlace(app, frame());
    handle.place(x, y, size.unit);
    readout.show(ground.pointing() ? placeOfHover(app, (x, y) => [frame().px(x), frame().py(y)]) : null, size);
  };
  const destroy = () => {
    picture.destroy();
    handle.destroy();
    el.replaceChildren();
  };
  return { draw, resize, destroy, canvas, label: () => labelOf(app, "Contours") };
}

/** Gives a canvas the pixels of a size; setting them again would clear it. */
export function fit(canvas, { width, height, ratio }) {
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across) canvas.width = across;
  if (canvas.height !== down) canvas.height = down;
}

/** What is seen, in words. */
export function labelOf(app, what) {
  const ends = app.state.racers.flatMap(({ hidden }, i) => (hidden || !app.paths[i] ? [] : [endOf(app, i)]));
  const keys = "Arrow keys move the view, plus and minus zoom, 0 resets.";
  return `${what} of ${app.surface.label}. ${ends.join(". ")}. ${keys}`;
}

function endOf(app, i) {
  const { steps, loss, ended } = app.paths[i];
  const name = nameOf(app.state, i);
  if (ended) return `${name} ended at step ${ended.step}: ${ended.why}`;
  return `${name} reaches a loss of ${short(loss[steps])} in ${steps} steps`;
}
