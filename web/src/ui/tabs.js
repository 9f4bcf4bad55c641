import { h } from "./dom.js";

let made = 0;

/**
 * Tabs with one stop for the Tab key and arrow keys between them.
 *
 * @param {string} label of the whole list
 * @param {[string, string][]} names pairs of key and text
 * @param {(key: string) => void} onselect
 * @returns {{ element: HTMLElement, tab: (key: string) => HTMLElement, panel: (key: string, element:
 *   HTMLElement) => void, select: (key: string) => void }} `panel` ties a panel to its tab; `select` shows
 *   which one is chosen
 */
export function tabs(label, names, onselect) {
  const prefix = `tabs${(made += 1)}`;
  const buttons = new Map(
    names.map(([key, text]) => [key, tabButton(`${prefix}-${key}`, text, () => onselect(key))]),
  );
  const element = h("div", { class: "tabs", role: "tablist", "aria-label": label }, [...buttons.values()]);
  element.addEventListener("keydown", (event) => {
    const shown = [...buttons].filter(([, button]) => button.offsetParent !== null);
    const at = shown.findIndex(([, button]) => button === event.target);
    const to = destination(event.key, at, shown.length);
    if (to === null || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    onselect(shown[to][0]);
    shown[to][1].focus();
  });
  const select = (chosen) => {
    for (const [key, button] of buttons) {
      button.setAttribute("aria-selected", String(key === chosen));
      button.tabIndex = key === chosen ? 0 : -1;
    }
  };
  const panel = (key, part) => {
    const button = buttons.get(key);
    part.id ||= `${button.id}-panel`;
    part.setAttribute("role", "tabpanel");
    part.setAttribute("aria-labelledby", button.id);
    button.setAttribute("aria-controls", part.id);
  };
  return { element, tab: (key) => buttons.get(key), panel, select };
}

function tabButton(id, text, onclick) {
  return h("button", { type: "button", role: "tab", id, onclick }, text);
}

/** Where a key moves to in a row, or null. @param {string} key @param {number} at @param {number} count */
export function destination(key, at, count) {
  if (key === "ArrowRight" || key === "ArrowDown") return (at + 1) % count;
  if (key === "ArrowLeft" || key === "ArrowUp") return (at + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}
