import { createInspector } from "../views/inspector.js";
import { createLoss } from "../views/loss.js";
import { createPhase } from "../views/phase.js";
import { createRates } from "../views/rates.js";
import { createSchedule } from "../views/schedule.js";
import { h } from "./dom.js";
import { holder } from "./holder.js";
import { tabs } from "./tabs.js";

const CHARTS = [
  ["loss", "Loss", createLoss],
  ["rates", "Effective rate", createRates],
  ["schedule", "Schedule", createSchedule],
  ["phase", "Phase map", createPhase],
  ["step", "Step", createInspector],
];

/**
 * The charts, and the step inspector among them.
 *
 * @param {import("../app.js").App} app
 * @returns {{ element: HTMLElement, show: (visible: boolean) => void }}
 */
export function charts(app) {
  const shown = holder(app, Object.fromEntries(CHARTS.map(([key, , make]) => [key, make])));
  const choice = tabs("Charts", CHARTS.map(([key, text]) => [key, text]), (key) => {
    app.set({ view: { ...app.state.view, chart: key } });
  });
  let visible = true;
  const update = () => {
    const key = app.state.view.chart;
    choice.select(key);
    choice.panel(key, shown.element);
    if (visible) shown.show(key);
    else shown.hide();
  };
  app.on("state", update);
  update();
  const element = h("section", { class: "panel charts", "aria-label": "Charts" }, h("div", { class: "head" }, choice.element), shown.element);
  const show = (now) => {
    visible = now;
    update();
  };
  return { element, show };
}
