/**
 * Pointers, wheel and keys on the ground of the contour view: pan, zoom, place the start, point at a trail.
 */

import { panned, tidy, zoomed } from "./contour-frame.js";
import { pick } from "./contour-pick.js";
import { createMover, startText } from "./handle.js";
import { listenToKeys, listenToWheel, STILL } from "./stage-input.js";
import { placeIn } from "./unit.js";

const ZOOM = 1.5;
/** The clicks of a double click lie within so many milliseconds. */
const TWICE = 1000;

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
  const place = (event) => placeIn(canvas, event);
  const held = listenToPress(canvas, app, frame, actions, place);
  const pointing = listenToHover(canvas, app, frame, place, held);
  listenToTouches(canvas, actions, place);
  listenToWheel(canvas, (factor, event) => zoomAt(factor, ...place(event)), actions.settle);
  listenToKeys(canvas, keysOf(frame, actions), actions.settle);
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
  let clicks = [];
  let pressed = 0; // by the hand; the time of a double click itself is that of the page, which may be busy
  canvas.parentElement.addEventListener("pointerdown", ({ timeStamp }) => (pressed = timeStamp));
  // The first click puts the start under the pointer, so the second may meet its handle instead of the canvas.
  canvas.parentElement.addEventListener("dblclick", (event) => {
    if (event.target.closest("button")) return; // zoomed twice in haste
    const [first] = clicks.filter(({ time }) => pressed - time < TWICE);
    clicks = [];
    move.drop();
    if (first) app.set({ start: first.start });
    actions.reset();
  });
  return (event, [x, y]) => {
    clicks = [...clicks.slice(-1), { time: event.timeStamp, start: app.state.start }];
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

/** The arrows move the view, plus and minus zoom, 0 shows all. */
function keysOf(frame, actions) {
  const step = () => (frame().rect.right - frame().rect.left) / 20;
  return {
    "+": () => actions.zoom(ZOOM),
    "=": () => actions.zoom(ZOOM),
    "-": () => actions.zoom(1 / ZOOM),
    0: () => actions.reset(),
    ArrowLeft: () => actions.pan(step(), 0),
    ArrowRight: () => actions.pan(-step(), 0),
    ArrowUp: () => actions.pan(0, step()),
    ArrowDown: () => actions.pan(0, -step()),
  };
}
