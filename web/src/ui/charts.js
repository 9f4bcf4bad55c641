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
 * The charts. The step inspector is one of them, and stands beside them where there is room.
 *
 * @param {import("../app.js").App} app
 * @returns {{ element: HTMLElement, beside: HTMLElement, spread: (room: boolean) => void }}
 */
export function charts(app) {
  const shown = holder(app, Object.fromEntries(CHARTS.map(([key, , make]) => [key, make])));
  const inspector = holder(app, { step: createInspector });
  const choice = tabs(
    "Charts",
    CHARTS.map(([key, text]) => [key, text]),
    (key) => {
      app.set({ view: { ...app.state.view, chart: key } });
    },
  );
  const element = h(
    "section",
    { class: "panel charts", "aria-label": "Charts" },
    h("div", { class: "head" }, choice.element),
    shown.element,
  );
  const beside = h(
    "section",
    { class: "panel charts", "aria-label": "Step", hidden: true },
    inspector.element,
  );
  const update = () => {
    const { chart } = app.state.view;
    const key = !beside.hidden && chart === "step" ? "loss" : chart;
    choice.select(key);
    choice.panel(key, shown.element);
    shown.show(key);
  };
  const spread = (room) => {
    if (beside.hidden === !room) return;
    beside.hidden = !room;
    choice.tab("step").hidden = room;
    if (room) inspector.show("step");
    else inspector.hide();
    update();
  };
  app.on("state", update);
  update();
  return { element, beside, spread };
}
