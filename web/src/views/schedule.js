// The learning rate of each step, after warm-up and schedule.

import { createChart } from "./chart.js";
import { range } from "./chart-curve.js";
import { curvesOf } from "./chart-racers.js";
import { nameOf } from "../state/racers.js";
import { short } from "../ui/numbers.js";

const APART = 20; // peaks further apart than this need a logarithmic axis
const DEPTH = 1e-2; // how far below the lowest peak such an axis reaches, for a schedule that falls to 0

/** The view of the rates used. @param {HTMLElement} el @param {any} app */
export function createSchedule(el, app) {
  return createChart(el, app, {
    name: "Learning rate of each step",
    model: scheduleModel,
    value: (_, { racer, step }) => {
      const rate = app.paths[racer]?.lr[step - 1];
      return rate === undefined ? "" : `${nameOf(app.state, racer)}, step ${step}: rate ${short(rate, 4)}`;
    },
  });
}

/** One panel; linear unless the racers' peaks are far apart. @param {any} app */
export function scheduleModel(app) {
  const curves = curvesOf(app, (path) => shifted(path.lr)).map(wordless);
  const peaks = curves.map(({ values }) => range(values)[1]).filter((peak) => peak > 0 && peak < Infinity);
  const [least, most] = [Math.min(...peaks), Math.max(...peaks)];
  const log = most / least > APART;
  if (!peaks.length) return { panels: [panel(curves, false, 0, 1)] };
  if (!log) return { panels: [panel(curves, false, 0, most * 1.08)] };
  const lowest = Math.min(...curves.map(({ values }) => range(values, 0)[0]));
  return { panels: [panel(curves, true, Math.max(lowest, least * DEPTH) / 1.5, most * 1.5)] };
}

const panel = (curves, log, low, high) => ({ title: "learning rate", log, low, high, curves });

/** That a racer stopped is told beside its loss; here a cross is enough. */
const wordless = (curve) => ({ ...curve, end: curve.end && { ...curve.end, word: "" } });

/** Each rate at the index of the point that its step led to. */
function shifted(rates) {
  const moved = new Float64Array(rates.length + 1).fill(NaN);
  moved.set(rates, 1);
  return moved;
}
