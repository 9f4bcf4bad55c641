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
/** What the model tells of. */
const HEARD = ["change:state", "change:slices"];

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
  let offered = JSON.stringify(app.slices);
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
    const [state, slices] = [model.get("state") ?? {}, model.get("slices") ?? []];
    const [words, planes] = [state, slices].map((value) => JSON.stringify(value));
    if (planes !== offered) app.offer(slices, normalize(app.state, slices));
    if (words !== told) app.load(stateFrom(state, slices));
    [told, offered] = [words, planes];
  };
  const offs = ["state", "step", "playing"].map((event) => app.on(event, soon));
  for (const event of HEARD) model.on(event, hear);
  if (atOnce) tell();
  return () => {
    clearTimeout(timer);
    offs.forEach((off) => off());
    for (const event of HEARD) model.off(event, hear);
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
  if (!own) keepKeys(host);
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

/** JupyterLab's keys are not for what is typed in here, but for those that the page lets out: to save. */
function keepKeys(host) {
  const mark = (on) => host.toggleAttribute("data-lm-suppress-shortcuts", on);
  mark(true);
  host.addEventListener("keydown", () => {
    mark(false);
    setTimeout(() => mark(true));
  });
}

/**
 * A sheet whose sizes follow the reader's text. A host page's own may be small (Bootstrap's root has 10 pixels),
 * so it counts from 16 on.
 */
function styleOf(text) {
  const style = new CSSStyleSheet();
  style.replaceSync(text.replace(/(-?[\d.]+)rem\b/g, "calc($1 * max(1rem, 16px))"));
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
