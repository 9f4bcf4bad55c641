import { h } from "./dom.js";
import { iconButton, setIcon } from "./icons.js";
import { lessonPicker } from "./lessons.js";
import { shareMenu } from "./share.js";

const THEMES = {
  light: ["sun", "Theme: light"],
  dark: ["moon", "Theme: dark"],
  system: ["auto", "Theme: as the system"],
};
const NEXT_THEME = { system: "light", light: "dark", dark: "system" };
/** The mark of thalweg: the line of the deepest points. */
const LOGO = "M1 2C6 2 7 13 12 13S18 5 23 5";

/**
 * The bar at the top.
 *
 * @param {import("../app.js").App} app
 * @param {any} actions
 */
export function topBar(app, actions) {
  const logo = h(
    "svg",
    { class: "logo", viewBox: "0 0 24 16", "aria-hidden": "true" },
    h("path", { d: LOGO }),
  );
  const name = h("h1", null, "thalweg ", h("span", null, "playground"));
  return h(
    "header",
    { class: "top" },
    h("div", { class: "brand" }, logo, name),
    lessonPicker(app),
    h(
      "div",
      { class: "tools" },
      historyButton(app, "undo", "Undo", actions.undo, () => actions.history.past),
      historyButton(app, "redo", "Redo", actions.redo, () => actions.history.future),
      shareMenu(app, actions),
      themeButton(app),
      iconButton("help", "Help", actions.help),
    ),
  );
}

/**
 * Undo or redo: faint where there is nothing, yet still to be reached, so that the focus does not get lost.
 */
function historyButton(app, image, label, deed, waiting) {
  const button = iconButton(image, label, deed, { class: "history" });
  const update = () => button.setAttribute("aria-disabled", String(!waiting().length));
  app.on("state", update);
  update();
  return button;
}

function themeButton(app) {
  const button = iconButton("auto", "Theme", () => {
    const next = NEXT_THEME[app.state.theme ?? "system"];
    app.set({ theme: next === "system" ? undefined : next });
  });
  const update = () => {
    const [image, label] = THEMES[app.state.theme ?? "system"];
    setIcon(button, image);
    button.setAttribute("aria-label", label);
    button.title = label;
  };
  app.on("state", update);
  update();
  return button;
}
