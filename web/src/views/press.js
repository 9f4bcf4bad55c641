/** A press on a chart or a map. */

import { STILL } from "./stage-input.js";

/**
 * Listeners for a press. A mouse acts at once and while it moves. A finger acts from when it has moved
 * sideways, or where it is lifted without having moved; up and down it scrolls the page.
 * @param {HTMLElement} canvas
 * @param {(event: PointerEvent) => boolean} begins whether a press here is one
 * @param {(event: PointerEvent) => void} act
 * @returns {{ held: () => boolean, handlers: Record<string, (event: PointerEvent) => void> }}
 */
export function press(canvas, begins, act) {
  let from = null;
  let acted = false;
  const go = (event) => {
    acted = true;
    act(event);
  };
  const way = ({ clientX, clientY }) => [Math.abs(clientX - from.clientX), Math.abs(clientY - from.clientY)];
  const release = () => (from = null);
  const handlers = {
    pointerdown(event) {
      if (event.button !== 0 || !event.isPrimary || !begins(event)) return;
      [from, acted] = [event, false];
      canvas.setPointerCapture(event.pointerId);
      if (event.pointerType !== "touch") go(event);
    },
    pointermove(event) {
      if (!from || !event.isPrimary) return;
      const [across, down] = way(event);
      if (acted || (across >= STILL && across > down)) go(event);
    },
    pointerup(event) {
      if (from && !acted && Math.max(...way(event)) < STILL) go(event);
      release();
    },
    pointercancel: release,
  };
  return { held: () => from !== null, handlers };
}
