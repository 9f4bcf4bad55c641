import { h } from "./dom.js";

/**
 * A group of fields under a heading.
 *
 * @param {string} title
 * @param {{ element: HTMLElement, update: () => void }[]} fields
 * @param {string} [note]
 */
export function section(title, fields, note = "") {
  const element = h(
    "fieldset",
    null,
    h("legend", null, title),
    note && h("p", { class: "note" }, note),
    fields.map((field) => field.element),
  );
  return { element, update: () => fields.forEach((field) => field.update()) };
}
