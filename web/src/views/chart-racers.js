// What the charts draw of each racer: its values, and where it ended.

import { lastFinite } from "./chart-curve.js";
import { nameOf } from "../state/racers.js";

/**
 * A curve for each racer that is shown; the selected one is strong and drawn last.
 * @param {any} app @param {(path: any, racer: any, index: number) => ArrayLike<number>} values
 * @returns {import("./chart-panel.js").Curve[]}
 */
export function curvesOf(app, values) {
  const found = [];
  app.state.racers.forEach((racer, i) => {
    const path = app.paths[i];
    if (racer.hidden || !path) return;
    const drawn = values(path, racer, i);
    const strong = i === app.selected && app.state.racers.length > 1;
    found.push({
      racer: i,
      hue: racer.hue,
      name: nameOf(app.state, i),
      strong,
      values: drawn,
      end: ending(path, drawn),
    });
  });
  return found.sort((a, b) => Number(a.strong) - Number(b.strong));
}

/** Where and why a racer stopped before the end. */
function ending(path, values) {
  if (!path.ended) return null;
  const step = Math.min(path.ended.step, lastFinite(values));
  const word =
    path.ended.why === "not finite" ? "NaN" : path.ended.why === "outside" ? "left the map" : "diverged";
  return step < 0 ? null : { step, word };
}
