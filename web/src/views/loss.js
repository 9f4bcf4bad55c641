// Loss against step: the full-batch loss of every racer, whatever noise or minibatch its gradients have.

import { h } from "../ui/dom.js";
import { createChart } from "./chart.js";
import { range } from "./chart-curve.js";
import { curvesOf } from "./chart-racers.js";
import { padded } from "./chart-scale.js";
import { nameOf } from "../state/racers.js";
import { short } from "../ui/numbers.js";

const NEAR = 2; // times the minimum
const DECADES = 12; // of a logarithmic axis, at most: what lies below is as good as zero
const ABOVE = 10; // how far beyond the start a racer that diverged may stretch the axis

/** The view of the loss, with a switch for its axis. @param {HTMLElement} el @param {any} app */
export function createLoss(el, app) {
  const onclick = () => app.set({ view: { ...app.state.view, log: !app.state.view.log } });
  const button = h("button", { class: "small chart-switch", type: "button", onclick }, "log");
  const model = () => {
    const made = lossModel(app);
    const { log } = app.state.view;
    button.setAttribute("aria-pressed", String(Boolean(log)));
    button.disabled = Boolean(log) && !made.panels[0].log;
    button.title = button.disabled ? "Some losses are below 0 and have no logarithm" : "Logarithmic axis";
    return made;
  };
  const value = (_, { racer, step }) => {
    const loss = app.paths[racer]?.loss[step];
    return loss === undefined ? "" : `${nameOf(app.state, racer)}, step ${step}: loss ${short(loss, 4)}`;
  };
  const chart = createChart(el, app, { name: "Loss against step", model, value });
  el.append(button);
  const destroy = () => (button.remove(), chart.destroy());
  return { ...chart, destroy };
}

/** One panel: logarithmic where that is asked for and possible. @param {any} app */
export function lossModel(app) {
  const shift = app.state.view.log ? offset(app) : 0;
  const curves = curvesOf(app, (path) => above(path.loss, shift));
  const log = app.state.view.log && curves.every(({ values }) => shift !== 0 || range(values)[0] >= 0);
  const title = log && shift !== 0 ? "loss above the minimum" : "loss";
  const [low, high] = log ? logRange(curves) : linearRange(curves);
  return { panels: [{ title, log, low, high, curves }] };
}

const above = (loss, shift) => (shift === 0 ? loss : loss.map((value) => value - shift));

/**
 * The known minimum, where losses are negative and so have no logarithm, or come so near to it that only it
 * is seen.
 */
function offset(app) {
  const lowest = Math.min(...app.paths.filter(Boolean).map((path) => range(path.loss)[0]));
  const minimum = Math.min(...app.surface.minima.map(([x, y]) => app.surface.f(x, y)));
  const known = Number.isFinite(minimum) && minimum <= lowest + 1e-9 * Math.abs(lowest);
  if (!known || (lowest >= 0 && lowest > NEAR * minimum)) return 0;
  return Math.min(minimum, lowest);
}

/** All values of those that finished; of those that diverged, only what is not far from the start. */
function reach(curves) {
  const starts = curves.map(({ values }) => values[0]).filter(Number.isFinite);
  const [least, most] = [Math.min(...starts), Math.max(...starts)];
  const air = ABOVE * Math.max(Math.abs(least), Math.abs(most));
  const ranges = curves.map(({ values, end }) => {
    const [low, high] = range(values);
    return end ? [Math.max(low, least - air), Math.min(high, most + air)] : [low, high];
  });
  return [Math.min(least, ...ranges.map(([low]) => low)), Math.max(most, ...ranges.map(([, high]) => high))];
}

function logRange(curves) {
  const high = reach(curves)[1];
  if (!(high > 0)) return [1e-3, 1];
  const low = Math.max(Math.min(...curves.map(({ values }) => range(values, 0)[0])), high * 10 ** -DECADES);
  return low < high ? [low / 1.3, high * 1.3] : [high / 10, high * 10];
}

function linearRange(curves) {
  const [low, high] = reach(curves);
  if (!Number.isFinite(high) || !Number.isFinite(low)) return [0, 1];
  const [bottom, top] = padded(low, high);
  return [low >= 0 ? Math.max(bottom, 0) : bottom, top];
}
