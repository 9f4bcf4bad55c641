/** The small text beside the step that is pointed at. */

import { h, write } from "../ui/dom.js";
import { short } from "../ui/numbers.js";
import { lowered } from "./text.js";
import { nameOf } from "../state/racers.js";

/**
 * @param {HTMLElement} el
 * @param {object} app
 * @returns {{ show: (place: { x: number, y: number } | null, size: { width: number, height: number, unit:
 *   number }) => void
 *   }}
 */
export function createReadout(el, app) {
  const title = h("b");
  const rest = h("span");
  const box = h("div", { class: "stage-readout", hidden: true }, title, rest);
  el.append(box);
  const show = (place, { width, height, unit }) => {
    const path = app.hover && app.paths[app.hover.racer];
    box.hidden = !(place && path && Number.isFinite(place.x + place.y));
    if (box.hidden) return;
    const step = Math.min(app.hover.step, path.x.length - 1);
    const [a, b] = app.surface.names.map(lowered);
    write(title, `${nameOf(app.state, app.hover.racer)}, step ${step}`);
    write(
      rest,
      `${a} ${short(path.x[step], 4)}, ${b} ${short(path.y[step], 4)}, loss ${short(path.loss[step], 4)}`,
    );
    const [across, down] = [box.offsetWidth / unit, box.offsetHeight / unit];
    const left = place.x + 16 + across > width ? place.x - 16 - across : place.x + 16;
    const top = Math.min(Math.max(place.y - down - 10, 4), height - down - 4);
    box.style.transform = `translate(${Math.round(Math.max(left, 4) * unit)}px, ${Math.round(top * unit)}px)`;
  };
  return { show };
}
