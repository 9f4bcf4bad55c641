import { charts } from "./charts.js";
import { h, write } from "./dom.js";
import { showHelp } from "./help.js";
import { History } from "./history.js";
import { listen } from "./keys.js";
import { lessonCard, nextLesson } from "./lessons.js";
import { racers } from "./racers.js";
import { stage } from "./stage.js";
import { surfacePicker } from "./surface.js";
import { textScale } from "../views/unit.js";
import { tabs } from "./tabs.js";
import { followTheme } from "./theme.js";
import { topBar } from "./topbar.js";
import { transport } from "./transport.js";

/** Below this width the parts stand one under the other; in CSS pixels, more of them where text is larger. */
const NARROW = 940;
/** Below this one, that of a small phone or of large text, even what is small stands one under the other. */
const SLIM = 330;
/** From this width on the step inspector stands beside the charts. */
const WIDE = 1680;
const TOAST = 4000;

const SECTIONS = [
  ["racers", "Racers"],
  ["charts", "Charts"],
  ["lesson", "Lesson"],
];

/**
 * The whole page of an app in a root.
 *
 * @param {import("../app.js").App} app
 * @param {ShadowRoot} root
 * @param {{ own: boolean }} place whether the page is a document of its own, not a part of a notebook
 * @returns {() => void} unmount
 */
export function mount(app, root, { own }) {
  // In a notebook a click beside the controls gives the page the focus, and with it the keys.
  const page = h("div", { class: own ? "play own" : "play", tabindex: own ? null : "-1" });
  root.append(page);
  const stopTheme = followTheme(app, page);
  const live = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
  app.announce = (text) => write(live, text);
  const actions = makeActions(app, page, own);
  const scene = stage(app);
  const field = racers(app, actions);
  Object.assign(actions, { tune: field.tune, say: field.say });
  const graphs = charts(app);
  const card = lessonCard(app);
  const sections = narrowTabs(app, page);
  const bar = topBar(app, actions);
  page.append(
    bar,
    h("div", { class: "left" }, framed(app, actions, scene), transport(app), sections.element, card),
    h("div", { class: "right" }, field.element, graphs.element, graphs.beside),
    live,
  );
  const stopKeys = listen(app, page, actions, own);
  const stopInput = watchInput(app, page);
  const fit = () => {
    arrange(page, graphs);
    app.emit("arranged");
  };
  const size = new ResizeObserver(fit);
  for (const part of [page, bar]) size.observe(part); // the bar's height is that of its text
  fit();
  page.dataset.ready = "";
  return () => {
    for (const stop of [stopTheme, stopKeys, stopInput, () => size.disconnect()]) stop();
    app.emit("destroy");
    page.remove();
  };
}

function framed(app, actions, scene) {
  const over = h("div", { class: "over" }, surfacePicker(app, actions), scene.tabs);
  return h("section", { class: "stage", "aria-label": "Stage" }, over, scene.element);
}

function makeActions(app, page, own) {
  const history = new History(app.state);
  app.on("state", () => history.record(app.state, performance.now()));
  const back = (state, word) => {
    if (!state) return app.announce(`Nothing to ${word}.`);
    const { surface, start, steps, racers: all, lesson } = state;
    const length = steps === app.state.steps ? {} : { steps }; // where it stays, so does the playhead
    app.set({ surface, start, racers: all, lesson, ...length });
    app.announce(word === "undo" ? "Undone." : "Done again.");
  };
  return {
    history,
    undo: () => back(history.undo(), "undo"),
    redo: () => back(history.redo(), "redo"),
    help: () => showHelp(page),
    next: () => nextLesson(app),
    toast: (text) => toast(app, page, text),
    root: page,
    online: own,
  };
}

/** When the event happened that a change answers, so that the time from hand to eye can be measured. */
function watchInput(app, page) {
  const note = (event) => (app.inputAt = event.timeStamp);
  const kinds = ["pointerdown", "pointermove", "keydown", "input"];
  for (const kind of kinds) page.addEventListener(kind, note, { capture: true, passive: true });
  return () => kinds.forEach((kind) => page.removeEventListener(kind, note, { capture: true }));
}

/** On a phone one part at a time is under the stage; of a lesson that was just opened, its text. */
function narrowTabs(app, page) {
  const show = (key) => {
    choice.select(key);
    page.dataset.section = key;
  };
  const choice = tabs("Parts", SECTIONS, show);
  choice.element.classList.add("sections");
  show("racers");
  let opened = null;
  const follow = () => {
    const { lesson } = app.state;
    if (lesson && lesson !== opened) show("lesson");
    opened = lesson;
  };
  app.on("state", follow);
  follow();
  return choice;
}

/** Chooses the layout for the width there is, which in a notebook is not that of the window. */
function arrange(page, graphs) {
  const width = page.clientWidth / textScale();
  page.classList.toggle("slim", width < SLIM);
  page.dataset.size = width < NARROW ? "narrow" : width < WIDE ? "usual" : "wide";
  graphs.spread(width >= WIDE);
}

function toast(app, page, text) {
  page.querySelector(".toast")?.remove();
  const element = h("div", { class: "toast" }, text);
  page.append(element);
  app.announce(text);
  setTimeout(() => element.remove(), TOAST);
}
