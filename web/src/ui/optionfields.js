import { ends } from "../engine/check.js";
import { checkField, numberField, selectField } from "./fields.js";
import { optionLabel, rangeOf } from "./options.js";
import { h } from "./dom.js";

/** Options that count steps of the race: their sliders end where it ends. */
const STEPS = /^(steps|size|up|down|period|warmup|stable|decay|scale)$/;

/**
 * The fields for options as the library describes them.
 *
 * @param {{ name: string, default?: any, kind: string, interval?: string, choices?: string[] }[]} options
 * @param {string} group of the fields, for their names in the document
 * @param {(name: string) => any} given what is set, or undefined
 * @param {(name: string, value: any) => void} change
 * @param {{ owner?: string, steps?: number }} [context] of what the options are, to be read aloud
 *   before their names, and how many steps the race has, for options that count them
 * @returns {{ element: HTMLElement, update: () => void }[]}
 */
export function optionFields(options, group, given, change, { owner, steps } = {}) {
  return options.map((option) => {
    const label = optionLabel(option.name);
    const name = owner ? `${owner}, ${label.toLowerCase()}` : label;
    const value = () => given(option.name) ?? option.default ?? null;
    const field = `${group}.${option.name}`;
    return MAKERS[option.kind]({
      option,
      label,
      name,
      field,
      value,
      steps,
      change: (next) => change(option.name, next),
    });
  });
}

const MAKERS = { number, integer: number, boolean, choice, pair, integers };

/** A field that follows its value. */
const following = (made, value) => ({ element: made.element, update: () => made.update(value()) });

function number({ option, label, name, field, value, change, steps }) {
  const range = rangeOf(option);
  if (steps && STEPS.test(option.name)) {
    const [least] = ends(option.interval);
    Object.assign(range, { kind: "linear", min: least, max: Math.max(steps, least + 1) });
  }
  return following(numberField({ label, name, field, ...range, onchange: change }), value);
}

function boolean({ label, name, field, value, change }) {
  return following(checkField({ label, name, field, onchange: change }), value);
}

function choice({ option, label, name, field, value, change }) {
  const options = option.choices.map((each) => [String(each), String(each)]);
  return following(selectField({ label, name, field, options, onchange: change }), () => String(value()));
}

function pair({ option, label, name, field, value, change }) {
  const parts = [0, 1].map((part) => {
    const replace = (next) => change(value().map((each, i) => (i === part ? next : each)));
    const [seen, read] = [label, name].map((text) => `${text} ${part + 1}`);
    return numberField({
      label: seen,
      name: read,
      field: `${field}.${part}`,
      ...rangeOf(option, part),
      onchange: replace,
    });
  });
  const element = h(
    "div",
    { class: "pair", role: "group", "aria-label": name },
    parts.map((part) => part.element),
  );
  return { element, update: () => parts.forEach((part, i) => part.update(value()?.[i] ?? null)) };
}

/** Whole numbers with commas between them. */
function integers({ label, name, field, value, change }) {
  const read = () => {
    const numbers = input.value
      .split(/[\s,;]+/)
      .filter(Boolean)
      .map(Number);
    const good =
      numbers.length > 0 &&
      numbers.every((each, i) => Number.isInteger(each) && each > (numbers[i - 1] ?? 0));
    input.setAttribute("aria-invalid", String(!good));
    if (good) change(numbers);
  };
  const input = h("input", { type: "text", "aria-label": name, "data-field": field, onchange: read });
  const element = h("label", { class: "field choice" }, h("span", { class: "caption" }, label), input);
  return { element, update: () => (input.value = (value() ?? []).join(", ")) };
}
