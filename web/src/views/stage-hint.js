/** What a person does first, said where it covers no name, until it was done. */

import { h } from "../ui/dom.js";
import { covers } from "./trails-labels.js";

const MARGIN = 18;

/**
 * @param {HTMLElement} el
 * @param {object} app
 * @returns {{ place: (boxes: object[], rect: object, unit: number) => void }} puts it at the bottom or the top of a
 *   rectangle, or nowhere
 */
export function createHint(el, app) {
  const element = h("p", { class: "hint" }, "Drag the start");
  const home = [...app.state.start];
  let done = false;
  let before = 0;
  el.append(element);
  const place = (boxes, { left, right, top, bottom }, unit) => {
    done ||= app.state.start.some((value, k) => value !== home[k]);
    element.hidden = done;
    if (done) return;
    const [width, height] = [element.offsetWidth / unit, element.offsetHeight / unit];
    const x = Math.round((left + right - width) / 2);
    const rows = [bottom - MARGIN - height, top + MARGIN].map((y) => ({ x, y, width, height }));
    const free = [rows[before], ...rows].find((row) => !boxes.some((box) => covers(row, box)));
    element.style.visibility = free ? "" : "hidden";
    if (!free) return;
    before = rows.indexOf(free);
    element.style.transform = `translate(${Math.round(free.x * unit)}px, ${Math.round(free.y * unit)}px)`;
  };
  return { place };
}
