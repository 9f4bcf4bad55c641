// What a person does on a line chart: point at a curve, drag through the steps, move with the keys.

import { press } from "./press.js";
import { placeIn } from "./unit.js";

const PAGE = 10; // steps that Page up and down, or an arrow with Shift, move

/**
 * @param {HTMLCanvasElement} canvas @param {any} app
 * @param {{ stepAt: (x: number) => number, find: (x: number, y: number) => { racer: number, step: number } |
 *   null }} chart
 * @returns {() => void} off
 */
export function listen(canvas, app, chart) {
  const place = (event) => placeIn(canvas, event);
  const scrub = (event) => {
    app.pause();
    app.setHover(null);
    app.setStep(chart.stepAt(place(event)[0]));
  };
  const { held, handlers: pressed } = press(canvas, () => true, scrub);
  const handlers = {
    ...pressed,
    pointermove(event) {
      pressed.pointermove(event);
      if (!held() && event.pointerType !== "touch") app.setHover(chart.find(...place(event)));
    },
    pointerleave: () => app.setHover(null),
    keydown(event) {
      const step = nextStep(event, Math.round(app.step), app.state.steps);
      if (step === null) return;
      event.preventDefault();
      event.stopPropagation();
      app.pause();
      app.setStep(step);
    },
  };
  for (const [name, handler] of Object.entries(handlers)) canvas.addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers)) canvas.removeEventListener(name, handler);
  };
}

/** Where a key leads to, as on any slider; null for other keys. @returns {number | null} */
export function nextStep({ key, shiftKey, altKey, ctrlKey, metaKey }, step, steps) {
  if (altKey || ctrlKey || metaKey) return null;
  const far = shiftKey ? PAGE : 1;
  const moves = {
    ArrowLeft: -far,
    ArrowDown: -far,
    ArrowRight: far,
    ArrowUp: far,
    PageUp: PAGE,
    PageDown: -PAGE,
  };
  if (key === "Home") return 0;
  if (key === "End") return steps;
  return key in moves ? Math.max(0, Math.min(steps, step + moves[key])) : null;
}
