// The step inspector: what one step of one racer did, stage by stage, with the numbers put in.

import { h, write } from "../ui/dom.js";
import { rerun } from "../race/simulate.js";
import { overview } from "./inspector/overview.js";
import { stages } from "./inspector/stages.js";
import { markPath } from "./trails-marks.js";
import { nameOf } from "../state/racers.js";

const PAUSE = 90; // milliseconds between two pictures, while time runs faster than anyone reads

/** @param {HTMLElement} el @param {any} app */
export function createInspector(el, app) {
  const view = new Inspector(app);
  el.append(view.element);
  const offs = ["paths", "surface", "colors"].map((event) => app.on(event, () => (view.stale = true)));
  return {
    canvas: null,
    draw: () => view.draw(),
    resize: () => app.invalidate(),
    destroy: () => {
      clearTimeout(view.timer);
      for (const off of offs) off();
      view.element.remove();
    },
    label: () => view.title.textContent,
  };
}

class Inspector {
  constructor(app) {
    Object.assign(this, { app, coordinate: 0, shown: "", stale: true, last: -Infinity, timer: 0 });
    this.mark = h("path", {});
    this.title = h("h2", { class: "inspector-title" });
    this.choices = [0, 1].map((i) => this.choice(i));
    const group = h("div", {
      class: "inspector-switch",
      role: "group",
      "aria-label": "Coordinate whose numbers are put in",
    });
    group.append(...this.choices);
    const svg = h(
      "svg",
      { class: "inspector-mark", viewBox: "-8 -8 16 16", "aria-hidden": "true" },
      this.mark,
    );
    this.body = h("div");
    this.element = h("div", {
      class: "inspector",
      tabindex: "0",
      role: "region",
      "aria-label": "Step inspector",
    });
    this.head = h("div", { class: "inspector-head" }, svg, this.title, group);
    this.element.append(this.head, this.body);
  }

  choice(coordinate) {
    const onclick = () => {
      this.coordinate = coordinate;
      this.app.invalidate();
    };
    return h("button", { class: "small", type: "button", "data-field": `coordinate${coordinate}`, onclick });
  }

  draw() {
    const { app } = this;
    const at = this.place();
    const key = JSON.stringify([at, this.coordinate]);
    if (key === this.shown && !this.stale) return;
    const wait = this.last + PAUSE - performance.now();
    clearTimeout(this.timer);
    if (wait > 0) {
      this.timer = setTimeout(() => app.invalidate(), wait);
      return;
    }
    Object.assign(this, { shown: key, stale: false, last: performance.now() });
    this.head.hidden = !at;
    if (at) this.show(at);
    else this.body.replaceChildren(h("p", { class: "inspector-note" }, "No racer is shown."));
  }

  /** The racer and the step to explain: the hovered one, else the selected one's at the playhead. */
  place() {
    const { app } = this;
    const { racer, step } = app.hover ?? { racer: app.selected, step: Math.round(app.step) };
    const path = app.paths[racer];
    if (!path) return null;
    const last = path.steps + (path.ended?.why === "not finite" ? 1 : 0);
    return {
      racer,
      step: Math.max(1, Math.min(step, last)),
      ended: path.ended && step >= path.steps ? path.ended.why : null,
    };
  }

  show({ racer, step, ended }) {
    const { app } = this;
    const { hue } = app.state.racers[racer];
    this.mark.setAttribute("d", markPath(hue, 6));
    this.mark.setAttribute("fill", app.colors.hues[hue]);
    write(this.title, `Step ${step} of ${nameOf(app.state, racer)}`);
    this.choices.forEach((button, i) => {
      write(button, app.surface.names[i]);
      button.setAttribute("aria-pressed", String(i === this.coordinate));
    });
    this.body.replaceChildren(...this.parts(racer, step, ended));
  }

  parts(index, step, ended) {
    const { app, coordinate } = this;
    const problem = app.problems[index] ?? (app.paths[index].evaluations === 0 && ended ? ENDS.start : null);
    if (problem) return [h("p", { class: "inspector-note" }, problem)];
    const racer = app.state.racers[index];
    const { run, gradient, lr } = rerun(racer, app.surface, app.state.start, step - 1);
    const told = run.explain(gradient, lr);
    const look = { coordinate, position: app.surface.names[coordinate] };
    return [ending(told, ended), overview(app, { racer, index, step, lr, told }), stages(told, look)].filter(
      Boolean,
    );
  }
}

const ENDS = {
  start: "There is no step to show: it could not start here.",
  diverged: "After this step it was too far away to go on: it diverged.",
  outside: "This step left the measured part of the surface.",
};

function ending({ outcome, message }, ended) {
  if (outcome === "skipped")
    return h("p", { class: "inspector-note" }, "A transform skipped this step: nothing moved.");
  if (outcome === "not finite" || ended === "not finite") {
    return h(
      "p",
      { class: "inspector-note bad" },
      `This step gave a number that is not finite${message ? `: ${message}` : "."}`,
    );
  }
  return ended in ENDS ? h("p", { class: "inspector-note bad" }, ENDS[ended]) : null;
}
