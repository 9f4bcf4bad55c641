/** The start as a person takes hold of it: with a mouse, a finger or the arrow keys. */

import { h } from "../ui/dom.js";
import { short } from "../ui/numbers.js";
import { lowered } from "./contour-axes.js";

/** The side of the area that can be touched, in CSS pixels. */
const SIDE = 44;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Rounds a coordinate to what a thousandth of the view can show, so that links stay short. */
export function rounded(value, range) {
  const unit = 10 ** Math.floor(Math.log10(range / 1000));
  return Number((Math.round(value / unit) * unit).toPrecision(12));
}

/**
 * Moves the start, once a frame at most: a pointer that reports faster waits.
 * @param {object} app
 * @param {() => number[]} shown what part of the plane is shown: [x0, x1, y0, y1]
 * @returns {(x: number, y: number) => void}
 */
export function createMover(app, shown) {
  let busy = false, waiting = null;
  const move = (x, y) => {
    if (busy) return (waiting = [x, y]);
    busy = true;
    requestAnimationFrame(() => {
      busy = false;
      const next = waiting;
      waiting = null;
      if (next) move(...next);
    });
    const [x0, x1, y0, y1] = app.surface.measured ? app.surface.box : shown();
    const place = [rounded(Math.min(Math.max(x, x0), x1), x1 - x0), rounded(Math.min(Math.max(y, y0), y1), y1 - y0)];
    if (place.some((v, k) => v !== app.state.start[k])) app.set({ start: place });
  };
  return move;
}

/** Where the start is, in words. */
export function startText(app) {
  const [x, y] = app.state.start, [a, b] = app.surface.names.map(lowered);
  return `${a} ${short(x, 4)}, ${b} ${short(y, 4)}, loss ${short(app.surface.f(x, y))}`;
}

/**
 * The area that takes hold of the start. It is transparent: the ring is drawn on the canvas.
 * @param {HTMLElement} el where the canvas is
 * @param {object} app
 * @param {{ toPlane: (px: number, py: number) => number[] | null, shown: () => number[] }} view
 * @returns {{ place: (x: number, y: number) => void, element: HTMLElement, destroy: () => void }}
 */
export function createHandle(el, app, { toPlane, shown }) {
  const move = createMover(app, shown);
  const element = h("div", {
    class: "start-handle", tabindex: "0", role: "slider", "aria-label": "Start; arrow keys move it",
    "aria-roledescription": "point of the plane", title: "Drag the start",
  });
  let offset = null;
  const local = ({ clientX, clientY }) => {
    const box = el.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    const [x, y] = local(event), box = element.getBoundingClientRect(), area = el.getBoundingClientRect();
    offset = [box.left + SIDE / 2 - area.left - x, box.top + SIDE / 2 - area.top - y];
    element.classList.add("held");
    app.setHover(null);
  });
  element.addEventListener("pointermove", (event) => {
    if (!offset) return;
    const [x, y] = local(event), place = toPlane(x + offset[0], y + offset[1]);
    if (place) move(...place);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    element.addEventListener(name, () => {
      offset = null;
      element.classList.remove("held");
    });
  }
  element.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [x0, x1, y0, y1] = shown(), share = event.shiftKey ? 0.1 : 0.01, [x, y] = app.state.start;
    move(x + arrow[0] * share * (x1 - x0), y + arrow[1] * share * (y1 - y0));
  });
  const describe = () => {
    const [x0, x1] = shown();
    for (const [name, value] of [["min", x0], ["max", x1], ["now", app.state.start[0]]]) {
      element.setAttribute(`aria-value${name}`, value);
    }
    element.setAttribute("aria-valuetext", startText(app));
  };
  const place = (x, y) => {
    element.style.transform = `translate(${Math.round(x - SIDE / 2)}px, ${Math.round(y - SIDE / 2)}px)`;
  };
  const offs = ["paths", "surface"].map((event) => app.on(event, describe));
  describe();
  el.append(element);
  const destroy = () => offs.forEach((off) => off());
  return { element, place, destroy };
}
