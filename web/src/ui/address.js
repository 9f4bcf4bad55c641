import { decode, encode } from "../state/url.js";
import { normalize } from "../state/state.js";

/**
 * A model, as notebooks have one, whose state lives in the address of the page, so that a link carries it.
 *
 * Another lesson or surface is a step that the browser's back button undoes; anything smaller replaces the
 * last one.
 *
 * @param {{ state?: object, slices?: object[] }} data what the page came with; a link wins over its state
 */
export function pageModel({ state = {}, slices = [] }) {
  const read = () => (location.hash.length > 1 ? decode(location.hash, slices) : null);
  const values = { state: read() ?? state, slices };
  const listeners = new Set();
  let written = location.hash;
  window.addEventListener("hashchange", () => {
    if (location.hash === written) return;
    written = location.hash;
    values.state = read() ?? state;
    for (const fn of listeners) fn();
  });
  const save = () => {
    const next = `#${encode(normalize(values.state, slices))}`;
    if (next === location.hash) return;
    const last = read();
    const another =
      last && (last.lesson !== values.state.lesson || last.surface.id !== values.state.surface.id);
    history[another ? "pushState" : "replaceState"](null, "", next);
    written = location.hash;
  };
  return {
    get: (name) => values[name],
    set: (name, value) => (values[name] = value),
    save_changes: save,
    on: (_, fn) => listeners.add(fn),
    off: (_, fn) => listeners.delete(fn),
  };
}
