import { markPath } from "../views/trails-marks.js";
import { nameOf } from "../views/trails-names.js";
import { h, write } from "./dom.js";
import { numberField } from "./fields.js";
import { icon, iconButton, setIcon } from "./icons.js";
import { short } from "./numbers.js";
import { RATES } from "./options.js";
import { settings } from "./settings.js";
import { mishap } from "./standing.js";

/**
 * A racer in the list: name, rate, loss, and its settings when it is open.
 *
 * @param {import("../app.js").App} app
 * @param {number} index
 * @param {any} list what the list does: toggle, duplicate, remove, tuner, open
 */
export function racerRow(app, index, list) {
  const racer = () => app.state.racers[index];
  const mark = h("path", {});
  const drawing = h("svg", { class: "mark", viewBox: "-9 -9 18 18", "aria-hidden": "true" }, mark);
  const name = h("span", { class: "name" });
  const title = h(
    "button",
    { type: "button", class: "title", "aria-expanded": "false", onclick: () => list.toggle(index) },
    icon("chevron"),
    drawing,
    name,
  );
  const rate = rateField(app, index);
  const rank = h("span", { class: "rank" });
  const loss = h("span", { class: "loss" });
  const hide = iconButton("eye", "Hide", () => app.setRacer(index, { hidden: !racer().hidden }));
  const remove = iconButton("close", "Remove", () => list.remove(index));
  const message = messageLine(app, index, list);
  const body = h("div", { class: "body", hidden: true });
  const line = h(
    "div",
    { class: "line" },
    title,
    rate.element,
    h("span", { class: "result" }, loss, h("span", { class: "unseen" }, "rank"), rank),
    hide,
    remove,
  );
  const select = ({ target }) => !target.closest(".square") && (app.selected = index);
  const element = h(
    "li",
    { class: "racer", onpointerdown: select, onfocusin: select },
    line,
    message.element,
    body,
  );
  let editor = null;
  const update = () => {
    const { hidden, hue, options } = racer();
    const called = nameOf(app.state, index);
    write(name, called);
    for (const [control, word] of [
      [hide, hidden ? "Show" : "Hide"],
      [remove, "Remove"],
    ])
      relabel(control, `${word} ${called}`);
    setIcon(hide, hidden ? "eyeOff" : "eye");
    hide.setAttribute("aria-pressed", String(hidden));
    element.classList.toggle("hidden", hidden);
    element.classList.toggle("selected", index === app.selected);
    element.style.setProperty("--c", `var(--h${hue})`);
    element.style.setProperty("--t", `var(--t${hue})`);
    mark.setAttribute("d", markPath(hue, 5));
    title.setAttribute("aria-label", `${called}, settings`);
    title.title = called;
    rate.rename(called);
    rate.update(options.lr);
    message.update();
    opened(list.open === index);
  };
  const opened = (open) => {
    title.setAttribute("aria-expanded", String(open));
    element.classList.toggle("open", open);
    body.hidden = !open;
    if (open && !editor) body.append((editor = settings(app, index, list)).element);
    if (open) editor.update();
  };
  const standing = (now) => {
    write(loss, now.out ? "out" : short(now.loss, Math.abs(now.loss) < 1e-3 ? 2 : 3));
    write(rank, now.rank === null || now.out ? "" : `${now.rank}`);
    rank.classList.toggle("first", now.rank === 1 && !now.out);
  };
  const hovered = (racerHovered) => element.classList.toggle("hovered", racerHovered === index);
  return { element, update, standing, hovered, focus: () => title.focus() };
}

function relabel(control, label) {
  control.setAttribute("aria-label", label);
  control.title = label;
}

/** The learning rate, the one setting that is always in reach. */
function rateField(app, index) {
  const change = (lr) => app.setRacer(index, { options: { ...app.state.racers[index].options, lr } });
  const made = numberField({
    label: "lr",
    field: `racer${index}.lr`,
    ...RATES,
    fits: (value) => value >= 0 && value < Infinity,
    onchange: change,
  });
  made.element.classList.add("rate");
  const rename = (name) => {
    made.slider.setAttribute("aria-label", `Learning rate of ${name}`);
    made.text.setAttribute("aria-label", `Learning rate of ${name}, number`);
  };
  return { ...made, rename };
}

/** What went wrong, with what helps one click away. */
function messageLine(app, index, list) {
  const text = h("span", null);
  const clip = h(
    "button",
    { type: "button", class: "small", onclick: () => clipGradient(app, index) },
    "Clip the gradient",
  );
  const tune = h(
    "button",
    { type: "button", class: "small", onclick: () => list.tuner.tuneOne(index) },
    "Tune the rate",
  );
  const home = h(
    "button",
    { type: "button", class: "small", onclick: () => app.set({ start: [...app.surface.start] }) },
    "Bring the start back",
  );
  const element = h("div", { class: "mishap", hidden: true }, icon("warn"), text, tune, clip, home);
  const update = () => {
    const racer = app.state.racers[index];
    const trouble = racer.hidden ? null : mishap(app.paths[index], app.problems[index]);
    element.hidden = !trouble;
    if (!trouble) return;
    write(text, trouble.text);
    const unstable = trouble.why === "diverged" || trouble.why === "not finite";
    home.hidden = trouble.why !== "start";
    tune.hidden = !unstable;
    clip.hidden = !unstable || racer.transforms.some(({ name }) => name === "clip_norm");
  };
  return { element, update };
}

function clipGradient(app, index) {
  const clipping = { name: "clip_norm", options: { max_norm: 1 } };
  app.setRacer(index, { transforms: [clipping, ...app.state.racers[index].transforms] });
}
