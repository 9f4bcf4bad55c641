/**
 * Pointers, wheel and keys on the ground of the contour view: pan, zoom, place the start, point at a trail.
 */

import { panned, tidy, zoomed } from "./contour-frame.js";
import { pick } from "./contour-pick.js";
import { createMover, startText } from "./handle.js";

/** A press that moves less than this is a click, in CSS pixels. */
const STILL = 5;
const ZOOM = 1.5;

/** Where the steps of a path are on the canvas. */
const steps =
  ({ px, py }) =>
  (path, k) => [px(path.x[k]), py(path.y[k])];

/**
 * @param {HTMLCanvasElement} canvas
 * @param {object} app
 * @param {() => object} frame
 * @returns {{ zoom: (factor: number) => void, reset: () => void, pointing: () => boolean }}
 */
export function listenToGround(canvas, app, frame) {
  const show = (box, options) => {
    const { box: before, ...view } = app.state.view;
    if (box || before) app.set({ view: box ? { ...view, box } : view }, options);
  };
  const middle = () => {
    const { left, right, top, bottom } = frame().rect;
    return [(left + right) / 2, (top + bottom) / 2];
  };
  const zoomAt = (factor, x, y) => show(zoomed(frame(), factor, x, y, app.surface.box), { silent: true });
  const actions = {
    zoom: (factor) => zoomAt(factor, ...middle()),
    reset: () => show(null),
    pan: (dx, dy) => show(panned(frame(), dx, dy), { silent: true }),
    zoomAt,
    settle: () => show(app.state.view.box && tidy(app.state.view.box)),
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const held = listenToPress(canvas, app, frame, actions, place);
  const pointing = listenToHover(canvas, app, frame, place, held);
  listenToTouches(canvas, actions, place);
  listenToWheel(canvas, actions, place);
  listenToKeys(canvas, frame, actions);
  return { ...actions, pointing };
}

/** A drag pans; what hardly moves is a click. */
function listenToPress(canvas, app, frame, actions, place) {
  const click = listenToClicks(canvas, app, frame, actions);
  let from = null;
  let moved = false;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    [from, moved] = [place(event), false];
    if (event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from || !event.isPrimary) return;
    const to = place(event);
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    if (!moved && Math.hypot(dx, dy) < STILL) return;
    moved = true;
    if (event.pointerType === "touch") return;
    canvas.classList.add("panning");
    app.setHover(null);
    actions.pan(dx, dy);
    from = to;
  });
  const release = () => {
    if (from && moved) actions.settle();
    from = null;
    canvas.classList.remove("panning");
  };
  canvas.addEventListener("pointerup", (event) => {
    const pressed = from && !moved ? place(event) : null;
    release();
    if (!pressed || !frame().contains(...pressed)) return;
    click(event, pressed);
  });
  for (const name of ["pointercancel", "lostpointercapture"]) canvas.addEventListener(name, release);
  return () => from !== null;
}

/** A click places the start, or selects the racer whose trail is there; two clicks show all. */
function listenToClicks(canvas, app, frame, actions) {
  const move = createMover(app, () => frame().shown);
  let starts = [];
  canvas.addEventListener("dblclick", () => {
    // The clicks themselves moved the start; it goes back.
    if (starts.length === 2) app.set({ start: starts[0] });
    actions.reset();
  });
  return (event, [x, y]) => {
    starts = [...starts.slice(-1), app.state.start];
    const found = pick(app, steps(frame()), x, y, event.pointerType);
    if (!found) {
      app.setHover(null);
      move(frame().x(x), frame().y(y));
      return app.announce(`Start: ${startText(app)}.`);
    }
    app.selected = found.racer;
    app.setHover(found);
  };
}

function listenToHover(canvas, app, frame, place, held) {
  let pointing = false;
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || held()) return;
    pointing = true;
    const [x, y] = place(event);
    const found = frame().contains(x, y) ? pick(app, steps(frame()), x, y, event.pointerType) : null;
    canvas.style.cursor = found ? "pointer" : frame().contains(x, y) ? "crosshair" : "default";
    app.setHover(found);
  });
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") return;
    pointing = false;
    app.setHover(null);
  });
  canvas.addEventListener("pointerdown", (event) => (pointing = event.pointerType === "touch" || pointing));
  return () => pointing;
}

/** Two fingers pinch and pan; one finger scrolls the page. */
function listenToTouches(canvas, actions, place) {
  let last = null;
  const both = (event) => {
    const [a, b] = [...event.touches].map(place);
    return { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, apart: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 };
  };
  canvas.addEventListener(
    "touchstart",
    (event) => {
      last = event.touches.length === 2 ? both(event) : null;
      if (last) event.preventDefault();
    },
    { passive: false },
  );
  canvas.addEventListener(
    "touchmove",
    (event) => {
      if (!last || event.touches.length !== 2) return;
      event.preventDefault();
      const now = both(event);
      actions.pan(now.x - last.x, now.y - last.y);
      actions.zoomAt(now.apart / last.apart, now.x, now.y);
      last = now;
    },
    { passive: false },
  );
  for (const name of ["touchend", "touchcancel"]) {
    canvas.addEventListener(name, () => {
      if (last) actions.settle();
      last = null;
    });
  }
}

/**
 * The wheel scrolls the page until the picture has been clicked; a pinch on a touchpad is a wheel with ctrl.
 */
function listenToWheel(canvas, actions, place) {
  let timer = 0;
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !canvas.matches(":focus")) return;
      event.preventDefault();
      actions.zoomAt(Math.exp(-event.deltaY / (event.ctrlKey ? 120 : 500)), ...place(event));
      clearTimeout(timer);
      timer = setTimeout(actions.settle, 200);
    },
    { passive: false },
  );
}

function listenToKeys(canvas, frame, actions) {
  const step = () => (frame().rect.right - frame().rect.left) / 20;
  const keys = {
    "+": () => actions.zoom(ZOOM),
    "=": () => actions.zoom(ZOOM),
    "-": () => actions.zoom(1 / ZOOM),
    0: () => actions.reset(),
    ArrowLeft: () => actions.pan(step(), 0),
    ArrowRight: () => actions.pan(-step(), 0),
    ArrowUp: () => actions.pan(0, step()),
    ArrowDown: () => actions.pan(0, -step()),
  };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
    if (event.key !== "0") actions.settle();
  });
}
