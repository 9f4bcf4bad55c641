import { stepBy } from "./transport.js";

/** Elements that use keys themselves. */
const CONTROLS = "input, select, textarea, [role=tab], [role=menu], dialog, [data-keys]";

/**
 * Keys that work anywhere on the page but in a control that needs them.
 *
 * @param {import("../app.js").App} app
 * @param {HTMLElement} page
 * @param {Record<string, () => void>} actions undo, redo, help, next, tune
 * @param {boolean} everywhere whether keys pressed outside of the page count, as on a page of its own
 * @returns {() => void} stop
 */
export function listen(app, page, actions, everywhere) {
  const target = everywhere ? document : page;
  const onKey = (event) => {
    if (!everywhere && !saves(event)) event.stopPropagation(); // a notebook has other plans for them
    const from = event.composedPath()[0];
    const element = from instanceof Element ? from : null;
    if (event.defaultPrevented || event.altKey) return;
    if (event.ctrlKey || event.metaKey) return changes(event, element, actions);
    if (element?.closest(CONTROLS) || (event.key === " " && element?.closest("button, summary, a"))) return;
    const deed = DEEDS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!deed && !/^[1-9]$/.test(event.key)) return;
    event.preventDefault();
    if (deed) deed(app, actions, event.shiftKey ? 10 : 1);
    else app.selected = Number(event.key) - 1;
  };
  target.addEventListener("keydown", onKey);
  return () => target.removeEventListener("keydown", onKey);
}

/** The one key that a notebook gets from the page, where the browser would save the notebook's HTML. */
const saves = (event) => (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";

/** Undo and redo, but not where text is typed. */
function changes(event, element, actions) {
  if (event.key.toLowerCase() !== "z" || element?.closest("input[type=text]")) return;
  event.preventDefault();
  if (event.shiftKey) actions.redo();
  else actions.undo();
}

const DEEDS = {
  " ": (app) => (app.playing ? app.pause() : app.play()),
  ArrowLeft: (app, _, far) => stepBy(app, -far),
  ArrowRight: (app, _, far) => stepBy(app, far),
  Home: (app) => stepBy(app, -Infinity),
  End: (app) => stepBy(app, Infinity),
  v: (app) =>
    app.set({
      view: { ...app.state.view, stage: app.state.view.stage === "surface" ? "contour" : "surface" },
    }),
  n: (_, actions) => actions.next(),
  t: (_, actions) => actions.tune(),
  "?": (_, actions) => actions.help(),
};
