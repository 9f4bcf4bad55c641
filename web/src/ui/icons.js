import { h } from "./dom.js";

/** Outlines on a 20 by 20 grid; a name ending in "Solid" is filled. */
const PATHS = {
  playSolid: "M6 3.6v12.8L16.4 10z",
  pauseSolid: "M5.5 4h3.2v12H5.5zM11.3 4h3.2v12h-3.2z",
  back: "M13 4.5 7 10l6 5.5",
  forward: "M7 4.5 13 10l-6 5.5",
  chevron: "M7.5 5.5 12 10l-4.5 4.5",
  down: "M5.5 8 10 12.5 14.5 8",
  close: "M5 5l10 10M15 5 5 15",
  plus: "M10 4v12M4 10h12",
  copy: "M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3",
  eye:
    "M2.5 10S5.3 5 10 5s7.5 5 7.5 5-2.8 5-7.5 5-7.5-5-7.5-5z" +
    "M10 7.9a2.1 2.1 0 1 0 0 4.2 2.1 2.1 0 0 0 0-4.2z",
  eyeOff: "M2.5 10S5.3 5 10 5s7.5 5 7.5 5-2.8 5-7.5 5-7.5-5-7.5-5zM4 16 16 4",
  undo: "M7.5 4 4 7.5 7.5 11M4.3 7.5h7.2a4.2 4.2 0 0 1 0 8.4H8",
  redo: "M12.5 4 16 7.5 12.5 11M15.7 7.5H8.5a4.2 4.2 0 0 0 0 8.4H12",
  share: "M10 12.5v-9M6.5 6.5 10 3l3.5 3.5M5 10v6h10v-6",
  target:
    "M10 3.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 1.5v3" +
    "M10 15.5v3M1.5 10h3M15.5 10h3",
  sun:
    "M10 6.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8zM10 2v1.6M10 16.4V18M2 10h1.6M16.4 10H18" +
    "M4.3 4.3l1.2 1.2M14.5 14.5l1.2 1.2M4.3 15.7l1.2-1.2M14.5 5.5l1.2-1.2",
  moon: "M16.2 12.1A6.8 6.8 0 0 1 7.9 3.8a6.8 6.8 0 1 0 8.3 8.3z",
  auto:
    "M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6zM10 3.2v13.6M10 6h5.4M10 8.7h6.6M10 11.4h6.6" +
    "M10 14h5.4",
  help: "M7.4 7.6a2.7 2.7 0 1 1 3.9 2.4c-.9.5-1.3 1-1.3 2M10 14.6v.4",
  warn: "M10 3.4 17.2 16H2.8zM10 8v3.6M10 13.7v.2",
  check: "M4.5 10.5 8.3 14.2 15.5 6.2",
};

/**
 * An icon; it says nothing to a screen reader, so its control needs a name.
 *
 * @param {keyof typeof PATHS} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const path = h("path", { d: PATHS[name] });
  return h(
    "svg",
    { class: name.endsWith("Solid") ? "icon solid" : "icon", viewBox: "0 0 20 20", "aria-hidden": "true" },
    path,
  );
}

/** Changes which icon a control shows. @param {Element} control @param {keyof typeof PATHS} name */
export function setIcon(control, name) {
  if (control.getAttribute("data-icon") === name) return;
  control.setAttribute("data-icon", name);
  control.querySelector(".icon")?.remove();
  control.prepend(icon(name));
}

/** Gives a control its name, for ear and pointer. @param {Element} control @param {string} name */
export function rename(control, name) {
  control.setAttribute("aria-label", name);
  control.setAttribute("title", name);
}

/**
 * A button that shows only an icon, with its name for those who do not see it.
 *
 * @param {keyof typeof PATHS} name
 * @param {string} label
 * @param {() => void} onclick
 * @param {Record<string, any>} [props]
 */
export function iconButton(name, label, onclick, props = {}) {
  const classes = `quiet square ${props.class ?? ""}`.trim();
  const button = h("button", { type: "button", onclick, ...props, class: classes }, icon(name));
  rename(button, label);
  return button;
}

/**
 * A button with words, and an icon before them where there is one.
 *
 * @param {string} label
 * @param {() => void} onclick
 * @param {Record<string, any> & { icon?: keyof typeof PATHS }} [props]
 */
export function textButton(label, onclick, { icon: image, ...props } = {}) {
  return h("button", { type: "button", onclick, ...props }, image && icon(image), label);
}
