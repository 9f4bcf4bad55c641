import { markPath } from "../views/trails-marks.js";
import { optionOf } from "../engine/program.js";
import { nameOf } from "../state/racers.js";
import { h, write } from "./dom.js";
import { numberField } from "./fields.js";
import { icon, iconButton, rename, setIcon } from "./icons.js";
import { mishapLine } from "./mishap.js";
import { rangeOf } from "./options.js";
import { settings } from "./settings.js";

/**
 * A racer in the list: name, rate, loss, and its settings when it is open.
 *
 * @param {import("../app.js").App} app
 * @param {number} index
 * @param {any} list what the list does: toggle, duplicate, remove, tuner, open
 */
export const racerRow = (app, index, list) => new Row(app, index, list);

class Row {
  constructor(app, index, list) {
    Object.assign(this, { app, index, list, editor: null });
    const racer = () => app.state.racers[index];
    this.title = titleButton(() => list.toggle(index));
    this.rate = rateField(app, index);
    this.rank = h("span", { class: "rank" });
    this.loss = h("span", { class: "loss" });
    this.hide = iconButton("eye", "Hide", () => app.setRacer(index, { hidden: !racer().hidden }));
    this.remove = iconButton("close", "Remove", () => list.remove(index));
    this.mishap = mishapLine(app, index, list);
    this.body = h("div", { class: "body", hidden: true });
    const result = h(
      "span",
      { class: "result" },
      this.loss,
      h("span", { class: "unseen" }, "rank"),
      this.rank,
    );
    const line = h(
      "div",
      { class: "line" },
      this.title.element,
      this.rate.element,
      result,
      this.hide,
      this.remove,
    );
    const select = ({ target }) => !target.closest(".square") && (app.selected = index);
    const props = { class: "racer", onpointerdown: select, onfocusin: select };
    this.element = h("li", props, line, this.mishap.element, this.body);
  }

  update() {
    const { app, index } = this;
    const { hidden, hue, options } = app.state.racers[index];
    const name = nameOf(app.state, index);
    this.title.update(name, hue);
    rename(this.hide, `${hidden ? "Show" : "Hide"} ${name}`);
    rename(this.remove, `Remove ${name}`);
    setIcon(this.hide, hidden ? "eyeOff" : "eye");
    this.hide.setAttribute("aria-pressed", String(hidden));
    this.element.classList.toggle("hidden", hidden);
    this.element.classList.toggle("selected", index === app.selected);
    this.element.style.setProperty("--c", `var(--h${hue})`);
    this.rate.call(name);
    this.rate.update(options.lr);
    this.mishap.update();
    this.show(this.list.open === index);
  }

  /** The settings are made when they are first opened. */
  show(open) {
    this.title.element.setAttribute("aria-expanded", String(open));
    this.element.classList.toggle("open", open);
    this.body.hidden = !open;
    if (!open) return;
    if (!this.editor) this.body.append((this.editor = settings(this.app, this.index, this.list)).element);
    this.editor.update();
  }

  /** Its loss and rank at the playhead. */
  standing({ rank, out }, loss) {
    write(this.loss, loss);
    write(this.rank, rank === null || out ? "" : `${rank}`);
    this.rank.classList.toggle("first", rank === 1 && !out);
  }

  hovered(racer) {
    this.element.classList.toggle("hovered", racer === this.index);
  }

  focus() {
    this.title.element.focus();
  }
}

/** Mark and name, which open the settings. */
function titleButton(onclick) {
  const mark = h("path", {});
  const drawing = h("svg", { class: "mark", viewBox: "-9 -9 18 18", "aria-hidden": "true" }, mark);
  const text = h("span", { class: "name" });
  const props = { type: "button", class: "title", "aria-expanded": "false", onclick };
  const element = h("button", props, icon("chevron"), drawing, text);
  const update = (name, hue) => {
    write(text, name);
    mark.setAttribute("d", markPath(hue, 5));
    rename(element, `${name}, settings`);
  };
  return { element, update };
}

/** The learning rate, the one setting that is always in reach. */
function rateField(app, index) {
  const change = (lr) => app.setRacer(index, { options: { ...app.state.racers[index].options, lr } });
  const made = numberField({
    label: "lr",
    field: `racer${index}.lr`,
    ...rangeOf(optionOf(app.state.racers[index].optimizer, "lr")),
    onchange: change,
  });
  made.element.classList.add("rate");
  const call = (name) => {
    made.slider.setAttribute("aria-label", `Learning rate of ${name}`);
    made.text.setAttribute("aria-label", `Learning rate of ${name}, number`);
  };
  return { ...made, call };
}
