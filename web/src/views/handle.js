/** The start as a person takes hold of it: with a mouse, a finger or the arrow keys. */

import { h } from "../ui/dom.js";
import { short } from "../ui/numbers.js";
import { lowered } from "./text.js";
import { placeIn } from "./unit.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Rounds a coordinate to what a thousandth of the view can show, so that links stay short. */
export function rounded(value, range) {
  const unit = 10 ** Math.floor(Math.log10(range / 1000));
  return Number((Math.round(value / unit) * unit).toPrecision(12));
}

/** Moves the start to a place, or as near to it as the part of the plane that is shown. */
function setStart(app, [x0, x1, y0, y1], x, y) {
  const place = [
    rounded(Math.min(Math.max(x, x0), x1), x1 - x0),
    rounded(Math.min(Math.max(y, y0), y1), y1 - y0),
  ];
  if (place.some((v, k) => v !== app.state.start[k])) app.set({ start: place });
}

/**
 * Moves the start with a pointer, once a frame at most: one that reports faster waits.
 * @param {object} app
 * @param {() => number[]} shown what part of the plane is shown: [x0, x1, y0, y1]
 * @returns {((x: number, y: number) => void) & { drop: () => void }} drop: forgets the move that waits
 */
export function createMover(app, shown) {
  let busy = false;
  let waiting = null;
  const move = (x, y) => {
    if (busy) return (waiting = [x, y]);
    busy = true;
    requestAnimationFrame(() => {
      busy = false;
      const next = waiting;
      waiting = null;
      if (next) move(...next);
    });
    setStart(app, bounds(app, shown), x, y);
  };
  return Object.assign(move, { drop: () => (waiting = null) });
}

/** A measured surface ends at its box. */
const bounds = (app, shown) => (app.surface.measured ? app.surface.box : shown());

/** Where the start is, in words. */
export function startText(app) {
  const [x, y] = app.state.start;
  const [a, b] = app.surface.names.map(lowered);
  return `${a} ${short(x, 4)}, ${b} ${short(y, 4)}, loss ${short(app.surface.f(x, y))}`;
}

/**
 * The area that takes hold of the start. It is transparent: the ring is drawn on the canvas.
 * @param {HTMLElement} el where the canvas is
 * @param {object} app
 * @param {{ toPlane: (px: number, py: number) => number[] | null, shown: () => number[] }} view
 * @returns {{ place: (x: number, y: number, unit: number) => void, element: HTMLElement, destroy: () => void }}
 */
export function createHandle(el, app, view) {
  const element = h("div", {
    class: "start-handle",
    tabindex: "0",
    role: "slider",
    "aria-label": "Start; arrow keys move it",
    "aria-roledescription": "point of the plane",
    title: "Drag the start",
  });
  listenToDrag(element, el, app, view);
  listenToArrows(element, app, view);
  const describe = () => {
    const [x0, x1] = view.shown();
    const values = { valuemin: x0, valuemax: x1, valuenow: app.state.start[0], valuetext: startText(app) };
    for (const [name, value] of Object.entries(values)) element.setAttribute(`aria-${name}`, value);
  };
  const place = (x, y, unit) => {
    const middle = `translate(${Math.round(x * unit)}px, ${Math.round(y * unit)}px)`;
    element.style.transform = `${middle} translate(-50%, -50%)`;
  };
  const offs = ["paths", "surface"].map((event) => app.on(event, describe));
  describe();
  el.append(element);
  const destroy = () => offs.forEach((off) => off());
  return { element, place, destroy };
}

/** The pointer holds the start where it took hold of it, not by its middle. */
function listenToDrag(element, el, app, { toPlane, shown }) {
  const move = createMover(app, shown);
  let offset = null;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    const box = element.getBoundingClientRect();
    offset = [box.left + box.width / 2 - event.clientX, box.top + box.height / 2 - event.clientY];
    element.classList.add("held");
    app.setHover(null);
  });
  element.addEventListener("pointermove", (event) => {
    if (!offset) return;
    const held = { clientX: event.clientX + offset[0], clientY: event.clientY + offset[1] };
    const place = toPlane(...placeIn(el, held));
    if (place) move(...place);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    element.addEventListener(name, () => {
      offset = null;
      element.classList.remove("held");
    });
  }
}

/** How far a key moves the start: a hundredth of the view, with shift a tenth; null for other keys. */
export function moveOf({ key, shiftKey, altKey, ctrlKey, metaKey }, [x0, x1, y0, y1]) {
  const arrow = ARROWS[key];
  if (!arrow || altKey || ctrlKey || metaKey) return null;
  const share = shiftKey ? 0.1 : 0.01;
  return [arrow[0] * share * (x1 - x0), arrow[1] * share * (y1 - y0)];
}

function listenToArrows(element, app, { shown }) {
  element.addEventListener("keydown", (event) => {
    const move = moveOf(event, shown());
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = app.state.start;
    setStart(app, bounds(app, shown), x + move[0], y + move[1]);
  });
}
