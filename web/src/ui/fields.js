import { inWords, within } from "../engine/check.js";
import { focused, h, write } from "./dom.js";
import { editable, parse, scale, short } from "./numbers.js";

/** Positions of a slider; a key press moves it by one of them. */
const NOTCHES = 200;
/** What was refused is forgotten so long after the field was left, in milliseconds. */
const FORGET = 4000;
/** The interval of a number that may be any. */
const ANY = "(-inf, inf)";

/**
 * A number with a slider and a field to type in. Arrow keys up and down in the field move by a notch of the
 * slider.
 *
 * @param {{ label: string, name?: string, field: string, kind: "linear" | "log" | "zero" | "decay",
 *   min: number, max: number, integer?: boolean, interval?: string, optional?: boolean,
 *   onchange: (value: number | null) => void }} props
 *   `label` is seen, `name` is read aloud (the label where not given); `min` and `max` are the ends of the
 *   slider, `interval` is what may be typed, such as "[0, 1)"; an optional number is null where the field is
 *   empty
 * @returns {{ element: HTMLElement, slider: HTMLInputElement, text: HTMLInputElement,
 *   update: (value: number | null) => void }}
 */
export function numberField(props) {
  const { label, kind, min, max, integer, onchange } = props;
  const span = scale(kind, min, max);
  const { slider, text, problem } = inputs(props);
  let shown; // undefined until the first update
  const show = (value) => {
    shown = value;
    const share = value === null ? 0 : span.at(value);
    slider.value = String(Math.round(share * NOTCHES));
    slider.style.setProperty("--share", String(share));
    slider.setAttribute("aria-valuetext", value === null ? "none" : short(value));
    text.value = value === null ? "" : editable(value);
    refuse(false);
  };
  const refuse = (wrong) => {
    text.setAttribute("aria-invalid", String(wrong));
    problem.hidden = !wrong;
    write(
      problem,
      wrong ? `A ${integer ? "whole " : ""}number ${inWords(props.interval ?? ANY)}, please.` : "",
    );
  };
  const change = (value) => {
    show(value);
    onchange(value);
  };
  const slide = (notch) => {
    const value = span.value(Math.min(NOTCHES, Math.max(0, notch)) / NOTCHES);
    const chosen = integer ? Math.round(value) : value;
    if (within(chosen, props.interval ?? ANY)) change(chosen);
    else show(shown); // the open end of an interval
  };
  slider.addEventListener("input", () => slide(Number(slider.value)));
  text.addEventListener("change", () => {
    const value = typed(text.value, props);
    if (value === undefined) refuse(true);
    else change(value);
  });
  const forget = () => !problem.hidden && focused(text) !== text && show(shown);
  text.addEventListener("blur", () => setTimeout(forget, FORGET));
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(shown);
    const move = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    slide(Number(slider.value) + move);
  });
  const element = h("div", { class: "field" }, h("span", { class: "caption" }, label), slider, text, problem);
  return { element, slider, text, update: (value) => value !== shown && show(value) };
}

function inputs({ label, name = label, field, optional }) {
  const sliding = { min: 0, max: NOTCHES, step: 1, "aria-label": name, "data-field": `${field}.slider` };
  const typing = { inputmode: "decimal", autocomplete: "off", spellcheck: "false", class: "number" };
  const named = {
    "aria-label": `${name}, number`,
    "data-field": field,
    placeholder: optional ? "none" : null,
  };
  return {
    slider: h("input", { type: "range", ...sliding }),
    text: h("input", { type: "text", ...typing, ...named }),
    problem: h("span", { class: "wanted", role: "status", hidden: true }),
  };
}

/** What was typed, within its bounds; undefined where it is not a number that may stand here. */
function typed(entered, { integer, interval = ANY, optional }) {
  if (optional && entered.trim() === "") return null;
  const number = parse(entered, integer);
  const value = integer && number !== null ? Math.round(number) : number;
  return value !== null && within(value, interval) ? value : undefined;
}

/**
 * A choice from a list.
 *
 * @param {{ label: string, name?: string, field: string, options: ([string, string] | { group: string,
 *   options: [string, string][] })[], onchange: (value: string) => void }} props options are pairs of value
 *   and text, or groups of them
 */
export function selectField({ label, name = label, field, options, onchange }) {
  const select = selectOf(options, {
    "aria-label": name,
    "data-field": field,
    onchange: () => onchange(select.value),
  });
  const element = h("label", { class: "field choice" }, h("span", { class: "caption" }, label), select);
  return { element, select, update: (value) => (select.value = value) };
}

/** A select element. */
export function selectOf(options, props) {
  const entry = ([value, text]) => h("option", { value }, text);
  const build = (option) =>
    Array.isArray(option) ? entry(option) : h("optgroup", { label: option.group }, option.options.map(entry));
  return h("select", props, options.map(build));
}

/**
 * A yes or no.
 *
 * @param {{ label: string, name?: string, field: string, onchange: (value: boolean) => void }} props
 */
export function checkField({ label, name = label, field, onchange }) {
  const box = h("input", {
    type: "checkbox",
    "aria-label": name,
    "data-field": field,
    onchange: () => onchange(box.checked),
  });
  const element = h("label", { class: "check" }, box, h("span", null, label));
  return { element, box, update: (value) => (box.checked = Boolean(value)) };
}

/**
 * Text that is read as it is typed, with room for a kind sentence under it.
 *
 * @param {{ label: string, field: string, oninput: (text: string) => void }} props
 */
export function textField({ label, field, oninput }) {
  const problem = h("p", { class: "problem", id: `${field}-problem`, role: "status" });
  const input = h("input", {
    type: "text",
    class: "formula",
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    "aria-label": label,
    "aria-describedby": problem.id,
    "data-field": field,
    oninput: () => oninput(input.value),
  });
  const element = h("div", { class: "field wide" }, h("span", { class: "caption" }, label), input, problem);
  const update = (value, message) => {
    if (input.value !== value) input.value = value;
    input.setAttribute("aria-invalid", String(Boolean(message)));
    problem.hidden = !message;
    write(problem, message ?? "");
  };
  return { element, input, update };
}
