import { h } from "./dom.js";
import { icon } from "./icons.js";
import { destination } from "./tabs.js";

/**
 * A button that opens a menu under it.
 *
 * @param {string} label
 * @param {Parameters<typeof icon>[0]} image
 * @param {[string, string, () => void][]} entries text, what it does in few words, and the deed
 */
export function menu(label, image, entries) {
  const items = entries.map(([text, note, deed]) =>
    h(
      "button",
      { type: "button", role: "menuitem", tabindex: "-1", onclick: () => (close(true), deed()) },
      h("span", null, text),
      h("small", null, note),
    ),
  );
  const list = h("div", { class: "menu", role: "menu", "aria-label": label, hidden: true }, items);
  const button = h(
    "button",
    { type: "button", "aria-haspopup": "menu", "aria-expanded": "false" },
    icon(image),
    h("span", null, label),
  );
  const element = h("div", { class: "opener" }, button, list);
  const outside = (event) => !event.composedPath().includes(element) && close(false);
  const open = () => {
    list.hidden = false;
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside);
    items[0].focus();
  };
  const close = (refocus) => {
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside);
    if (refocus) button.focus();
  };
  button.addEventListener("click", () => (list.hidden ? open() : close(true)));
  list.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close(true);
    if (event.key === "Tab") close(false);
    const to = destination(event.key, items.indexOf(event.target), items.length);
    if (to === null) return;
    event.preventDefault();
    items[to].focus();
  });
  return { element, button, close };
}
