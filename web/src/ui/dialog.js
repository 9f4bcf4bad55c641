import { h } from "./dom.js";
import { iconButton } from "./icons.js";

/**
 * Opens a modal dialog in a root; the browser keeps the focus inside and gives it back at the end.
 *
 * @param {ParentNode} root
 * @param {string} title
 * @param {any[]} content
 * @param {{ wide?: boolean, onclose?: () => void }} [options]
 * @returns {{ element: HTMLDialogElement, close: () => void }}
 */
export function dialog(root, title, content, { wide = false, onclose } = {}) {
  const heading = h("h2", { id: "dialog-title" }, title);
  const bar = h(
    "header",
    null,
    heading,
    iconButton("close", "Close", () => element.close()),
  );
  const element = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": heading.id }, bar, content);
  element.addEventListener("close", () => (element.remove(), onclose?.()));
  element.addEventListener("keydown", (event) => event.stopPropagation());
  element.addEventListener("click", (event) => event.target === element && element.close());
  root.append(element);
  element.showModal();
  return { element, close: () => element.close() };
}
