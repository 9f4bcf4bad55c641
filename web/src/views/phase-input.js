// What a person does on a phase map: point at it, drag the racer over it, or move a cell at a time with the
// keys.

import { press } from "./press.js";
import { placeIn } from "./unit.js";

const FAR = 4; // cells that an arrow key with Shift moves

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{ ready: () => boolean, cellAt: (x: number, y: number) => { column: number, row: number } | null,
 *   valueAt: (x: number, y: number) => { lr: number, other: number } | null, point: (cell: object | null) =>
 *   void, place: (value: { lr: number, other: number }) => void, where: () => { column: number, row: number
 *   }, size: () => { columns: number, rows: number }, valuesOf: (cell: object) => { lr: number, other: number
 *   }, cursor: () => { column: number, row: number } | null }} map
 * @returns {() => void} off
 */
export function listen(canvas, map) {
  let frame = 0;
  let latest = null;
  const place = (event) => placeIn(canvas, event);
  const follow = () => {
    frame = 0;
    const value = latest && map.valueAt(...latest);
    if (value) map.place(value);
  };
  const put = (event) => {
    map.point(null);
    latest = place(event);
    frame ||= requestAnimationFrame(follow);
  };
  const { held, handlers: pressed } = press(canvas, (event) => map.cellAt(...place(event)) !== null, put);
  const handlers = {
    ...pressed,
    pointermove(event) {
      pressed.pointermove(event);
      if (!held() && event.pointerType !== "touch") map.point(map.cellAt(...place(event)));
    },
    pointerleave: () => map.point(null),
    blur: () => map.point(null),
    keydown: (event) => move(event, map),
  };
  for (const [name, handler] of Object.entries(handlers)) canvas.addEventListener(name, handler);
  return () => {
    cancelAnimationFrame(frame);
    for (const [name, handler] of Object.entries(handlers)) canvas.removeEventListener(name, handler);
  };
}

function move(event, map) {
  if (!map.ready() || event.altKey || event.ctrlKey || event.metaKey) return;
  const from = map.cursor() ?? map.where();
  const to = nextCell(event, from, map.size());
  const enter = event.key === "Enter" || event.key === " ";
  if (!to && !(enter && map.cursor())) return;
  event.preventDefault();
  event.stopPropagation();
  if (to) map.point(to);
  else map.place(map.valuesOf(map.cursor()));
}

/** The cell an arrow key leads to; null for other keys. */
export function nextCell({ key, shiftKey }, { column, row }, { columns, rows }) {
  const far = shiftKey ? FAR : 1;
  const moves = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
  if (!(key in moves)) return null;
  const within = (i, count) => Math.min(Math.max(i, 0), count - 1);
  return { column: within(column + moves[key][0], columns), row: within(row + moves[key][1], rows) };
}
