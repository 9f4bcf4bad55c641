import { createContour } from "../views/contour.js";
import { createSurface3d } from "../views/surface3d.js";
import { holder } from "./holder.js";
import { tabs } from "./tabs.js";

const MAKERS = { contour: createContour, surface: createSurface3d };

/**
 * The stage: the race seen from above or in perspective.
 *
 * @param {import("../app.js").App} app
 * @returns {{ element: HTMLElement, tabs: HTMLElement }}
 */
export function stage(app) {
  const shown = holder(app, MAKERS);
  const choice = tabs(
    "Stage",
    [
      ["contour", "Contour"],
      ["surface", "3-D"],
    ],
    (key) => {
      app.set({ view: { ...app.state.view, stage: key } });
    },
  );
  const update = () => {
    const key = app.state.view.stage;
    choice.select(key);
    choice.panel(key, shown.element);
    shown.show(key);
  };
  app.on("state", update);
  update();
  return { element: shown.element, tabs: choice.element };
}
