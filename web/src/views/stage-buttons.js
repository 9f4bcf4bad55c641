/** The buttons in the corner of a stage view: zoom in, zoom out, show all. */

import { h } from "../ui/dom.js";

const STEP = 1.5;

/**
 * @param {HTMLElement} el
 * @param {{ zoom: (factor: number) => void, reset: () => void, settle: () => void, isReset: () => boolean }}
 *   actions
 * @returns {{ update: () => void, room: (unit: number) => { x: number, y: number, width: number, height: number
 *   } }} room: the place that they take, in units of the picture, for labels to avoid
 */
export function zoomButtons(el, { zoom, reset, settle, isReset }) {
  const button = (path, label, onclick) =>
    h(
      "button",
      { type: "button", "aria-label": label, title: label, onclick },
      h(
        "svg",
        { viewBox: "0 0 16 16", "aria-hidden": "true" },
        h("path", { d: path }),
      ),
    );
  const all = button("M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4", "Show all", reset);
  const zoomed = (factor) => () => {
    zoom(factor);
    settle();
  };
  const group = h(
    "div",
    { class: "stage-buttons" },
    button("M8 3v10M3 8h10", "Zoom in", zoomed(STEP)),
    button("M3 8h10", "Zoom out", zoomed(1 / STEP)),
    all,
  );
  el.append(group);
  return {
    update: () => (all.hidden = isReset()),
    room: (unit) => ({
      x: group.offsetLeft / unit,
      y: group.offsetTop / unit,
      width: group.offsetWidth / unit,
      height: group.offsetHeight / unit,
    }),
  };
}
