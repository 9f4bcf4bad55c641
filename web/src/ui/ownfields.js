import { nameOf } from "../state/racers.js";
import { intervalOf, LIMITS } from "../state/state.js";
import { h } from "./dom.js";
import { numberField } from "./fields.js";
import { section } from "./section.js";

/**
 * The noise of a racer's gradients and what it is called.
 *
 * @param {import("../app.js").App} app
 * @param {number} index
 */
export function ownFields(app, index) {
  const value = (key) => () => app.state.racers[index][key];
  const number = (key, label, range) => {
    const made = numberField({
      label,
      field: key,
      interval: intervalOf(key),
      ...range,
      onchange: (next) => app.setRacer(index, { [key]: next }),
    });
    return { element: made.element, update: () => made.update(value(key)()) };
  };
  const fields = [number("noise", "Gradient noise", { kind: "zero", min: 0.01, max: 100 })];
  const { samples } = app.surface;
  if (samples) {
    const batch = {
      kind: "linear",
      min: 0,
      max: samples,
      integer: true,
      interval: `[0, ${samples}]`,
    };
    fields.push(number("batch", "Batch size, 0 for all", batch));
  }
  fields.push(
    number("seed", "Seed", { kind: "linear", min: 0, max: 99, integer: true }),
    nameField(app, index),
  );
  return section("Noise and name", fields);
}

function nameField(app, index) {
  const rename = () => app.setRacer(index, { label: input.value.trim() || undefined });
  const input = h("input", {
    type: "text",
    maxlength: LIMITS.label,
    "aria-label": "Name",
    "data-field": "label",
    onchange: rename,
  });
  const element = h("label", { class: "field choice" }, h("span", { class: "caption" }, "Name"), input);
  return { element, update: () => (input.value = nameOf(app.state, index)) };
}
