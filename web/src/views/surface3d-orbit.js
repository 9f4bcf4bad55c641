/** Pointers, wheel and keys on the 3-D view: turn, tilt, zoom, point at a trail. */

import { pick } from "./contour-pick.js";
import { START } from "./gl/camera.js";
import { listenToKeys, listenToWheel, STILL } from "./stage-input.js";
import { placeIn } from "./unit.js";

const ZOOM = 1.25;

/**
 * A pose within what makes sense: yaw from -180 to 180, tilt above the floor, a zoom that shows something.
 */
export function fitPose([yaw, tilt, zoom]) {
  const round = (value, unit) => Math.round(value / unit) * unit;
  const turn = ((((yaw + 180) % 360) + 360) % 360) - 180;
  return [
    Number(round(turn, 0.5).toFixed(1)),
    Number(round(Math.min(Math.max(tilt, 8), 90), 0.5).toFixed(1)),
    Number(round(Math.min(Math.max(zoom, 0.5), 6), 0.01).toFixed(2)),
  ];
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {object} app
 * @param {() => (x: number, y: number) => number[]} placing where places of the plane are on the canvas now
 * @returns {{ zoom: (factor: number) => void, reset: () => void, settle: () => void, pointing: () => boolean
 *   }}
 */
export function listenToOrbit(canvas, app, placing) {
  const pose = () => app.state.view.camera ?? START;
  const set = (camera, options) => {
    const { camera: before, ...view } = app.state.view;
    if (camera || before) app.set({ view: camera ? { ...view, camera } : view }, options);
  };
  const actions = {
    turn: (yaw, tilt) => set(fitPose([pose()[0] + yaw, pose()[1] + tilt, pose()[2]]), { silent: true }),
    zoom: (factor) => set(fitPose([pose()[0], pose()[1], pose()[2] * factor]), { silent: true }),
    reset: () => set(null),
    settle: () => app.set({}),
  };
  const held = listenToDrag(canvas, app, actions);
  const pointing = listenToHover(canvas, app, placing, held);
  listenToWheel(canvas, actions.zoom, actions.settle);
  listenToKeys(canvas, keysOf(actions), actions.settle);
  canvas.addEventListener("dblclick", actions.reset);
  return { ...actions, pointing };
}

/** One pointer turns, two pinch. A finger that moves up or down scrolls the page; to the side it turns. */
function listenToDrag(canvas, app, actions) {
  const held = new Map();
  const apart = () => {
    const [a, b] = [...held.values()];
    return Math.hypot(a.x - b.x, a.y - b.y) || 1;
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const own = event.pointerType !== "touch"; // of a finger it is not known yet
    held.set(event.pointerId, { x: event.clientX, y: event.clientY, moved: 0, across: 0, down: 0, own });
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = held.get(event.pointerId);
    if (!last) return;
    const before = held.size > 1 ? apart() : 0;
    const dx = event.clientX - last.x;
    const dy = event.clientY - last.y;
    const [across, down] = [last.across + dx, last.down + dy];
    const moved = last.moved + Math.hypot(dx, dy);
    const sideways = moved >= STILL && Math.abs(across) > Math.abs(down);
    const own = last.own || held.size > 1 || sideways;
    held.set(event.pointerId, { x: event.clientX, y: event.clientY, moved, across, down, own });
    if (moved < STILL || !own) return;
    app.setHover(null);
    if (held.size > 1) actions.zoom(apart() / before);
    else actions.turn(-dx * 0.5, dy * 0.4);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(name, (event) => {
      const { moved, own } = held.get(event.pointerId) ?? {};
      if (own && moved >= STILL) actions.settle();
      held.delete(event.pointerId);
    });
  }
  return () => held.size > 0;
}

function listenToHover(canvas, app, placing, held) {
  let pointing = false;
  const point = (event) => {
    const [x, y] = placeIn(canvas, event);
    const at = placing();
    const found = pick(app, (path, k) => at(path.x[k], path.y[k]), x, y, event.pointerType);
    pointing = true;
    canvas.style.cursor = found ? "pointer" : "grab";
    app.setHover(found);
    return found;
  };
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch" && !held()) point(event);
  });
  canvas.addEventListener("click", (event) => {
    const found = point(event);
    if (found) app.selected = found.racer;
  });
  canvas.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") return;
    pointing = false;
    app.setHover(null);
  });
  return () => pointing;
}

/** The arrows turn and tilt, plus and minus zoom, 0 goes back to the first pose. */
function keysOf(actions) {
  return {
    ArrowLeft: () => actions.turn(6, 0),
    ArrowRight: () => actions.turn(-6, 0),
    ArrowUp: () => actions.turn(0, 4),
    ArrowDown: () => actions.turn(0, -4),
    "+": () => actions.zoom(ZOOM),
    "=": () => actions.zoom(ZOOM),
    "-": () => actions.zoom(1 / ZOOM),
    0: actions.reset,
  };
}
