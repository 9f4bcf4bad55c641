import { h } from "./dom.js";

/**
 * A place that shows one of several views. A view is made when it is first shown, so that those nobody looks
 * at cost nothing; only the one that is shown is drawn.
 *
 * @param {import("../app.js").App} app
 * @param {Record<string, (el: HTMLElement, app: any) => any>} makers
 */
export function holder(app, makers) {
  const element = h("div", { class: "holder" });
  const made = new Map();
  let now = null;
  const make = (key) => {
    const place = h("div", { class: `view ${key}` });
    element.append(place);
    made.set(key, { place, view: makers[key](place, app) });
    return made.get(key);
  };
  const label = () => {
    const canvas = now?.view.canvas;
    if (canvas?.getAttribute("role") === "img") canvas.setAttribute("aria-label", now.view.label());
  };
  const show = (key) => {
    const next = made.get(key) ?? make(key);
    if (next !== now) {
      if (now) app.views.delete(now.view);
      for (const { place } of made.values()) place.hidden = place !== next.place;
      now = next;
      app.views.add(now.view);
      now.view.resize();
    }
    label();
    app.invalidate();
  };
  const hide = () => {
    if (now) app.views.delete(now.view);
    now = null;
  };
  const resize = () => {
    now?.view.resize();
    app.invalidate();
  };
  const size = new ResizeObserver(resize);
  size.observe(element);
  const destroy = () => {
    size.disconnect();
    for (const { view } of made.values()) view.destroy();
  };
  app.on("arranged", resize);
  app.on("paths", label);
  app.on("destroy", destroy);
  return { element, show, hide };
}
