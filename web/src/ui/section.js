import { h } from "./dom.js";

/**
 * A group of fields under a heading.
 *
 * @param {string} title
 * @param {{ element: HTMLElement, update: () => void }[]} fields
 * @param {any} [note] a paragraph under the heading
 */
export function section(title, fields, note = null) {
  const element = h(
    "fieldset",
    null,
    h("legend", null, title),
    note,
    fields.map((field) => field.element),
  );
  return { element, update: () => fields.forEach((field) => field.update()) };
}
