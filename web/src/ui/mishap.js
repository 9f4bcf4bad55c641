import { h, write } from "./dom.js";
import { icon, textButton } from "./icons.js";
import { mishap } from "./standing.js";
import { first, placed } from "./transformfields.js";

/**
 * What went wrong with a racer, with what helps one click away.
 *
 * @param {import("../app.js").App} app
 * @param {number} index
 * @param {{ tuner: { tuneOne: (index: number) => void } }} list
 * @returns {{ element: HTMLElement, update: () => void }}
 */
export function mishapLine(app, index, list) {
  const text = h("span", null);
  const small = (label, onclick) => textButton(label, onclick, { class: "small" });
  const tune = small("Tune the rate", () => list.tuner.tuneOne(index));
  const clip = small("Clip the gradient", () => clipGradient(app, index));
  const home = small("Bring the start back", () => app.set({ start: [...app.surface.start] }));
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
  const { transforms } = app.state.racers[index];
  app.setRacer(index, { transforms: placed(transforms, first("clip_norm")) });
}
