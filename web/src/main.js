import { App } from "./app.js";
import { lessons } from "./state/lessons.js";
import { normalize } from "./state/state.js";
import { pageModel } from "./ui/address.js";
import { mount } from "./ui/page.js";
import pageSheet from "./ui/style.css";
import chartSheet from "./views/inspector/inspector.css";
import stageSheet from "./views/stage.css";

/** A state is told to the address or to Python when nothing changed for so long, in milliseconds. */
const REST = 200;

/** A whole state from a part of one; nothing at all stands for the first lesson. */
const stateFrom = (part, slices) =>
  normalize(Object.keys(part).length ? part : { lesson: lessons[0].id }, slices);

/**
 * Tells the model of what changes, and the app of what the model is told.
 *
 * @param {App} app
 * @param {any} model
 * @param {boolean} atOnce whether the model wants the whole state from the beginning, as Python does
 * @returns {() => void} stop
 */
function connect(app, model, atOnce) {
  let timer = 0;
  let told = "";
  const tell = () => {
    const { notes, ...state } = app.state;
    told = JSON.stringify(state);
    model.set("state", state);
    model.save_changes();
  };
  const soon = () => {
    if (app.playing) return;
    clearTimeout(timer);
    timer = setTimeout(tell, REST);
  };
  const hear = () => {
    const given = model.get("state") ?? {};
    if (JSON.stringify(given) !== told) app.load(stateFrom(given, app.slices));
  };
  const offs = ["state", "step", "playing"].map((event) => app.on(event, soon));
  model.on("change:state", hear);
  if (atOnce) tell();
  return () => {
    clearTimeout(timer);
    offs.forEach((off) => off());
    model.off("change:state", hear);
  };
}

/**
 * Shows the playground in an element, in a shadow root so that neither page styles the other.
 *
 * @param {{ model: any, el: HTMLElement }} given as Anywidget gives them
 * @param {boolean} [own] whether the page is a document of its own
 * @returns {() => void} unmount
 */
function render({ model, el }, own = false) {
  const slices = model.get("slices") ?? [];
  const state = stateFrom(model.get("state") ?? {}, slices);
  const app = new App(state, {
    slices,
    reducedMotion: matchMedia("(prefers-reduced-motion: reduce)").matches,
  });
  const host = document.createElement("div");
  host.dataset.lmSuppressShortcuts = "true"; // JupyterLab's keys are not for what is typed in here
  el.append(host);
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [pageSheet, stageSheet, chartSheet].map(styleOf);
  const unmount = mount(app, root, { own });
  const disconnect = connect(app, model, !own);
  return () => {
    disconnect();
    unmount();
    app.destroy();
    host.remove();
  };
}

function styleOf(text) {
  const style = new CSSStyleSheet();
  style.replaceSync(text);
  return style;
}

/** A document of the playground's own holds an element for it, with its first data inside. */
function start(el) {
  const island = el.querySelector("script[type='application/json']");
  const data = island ? JSON.parse(island.textContent) : {};
  el.replaceChildren();
  document.body.style.margin = "0";
  render({ model: pageModel(data), el }, true);
}

const place = document.querySelector("[data-thalweg-play]");
if (place) start(place);

export default { render };
