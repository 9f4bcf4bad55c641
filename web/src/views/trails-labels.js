/** The names of the racers beside their heads, where there is room. */

import { font } from "./text.js";
import { drawBox, INDENT, widthOf } from "./trails-ends.js";
import { nameOf } from "../state/racers.js";

const HEIGHT = 20;
/** The four places around a head: to its right, its left, above and below. */
const PLACES = [
  (x, y, width) => [x + 10, y - HEIGHT / 2],
  (x, y, width) => [x - 10 - width, y - HEIGHT / 2],
  (x, y, width) => [x - width / 2, y - 10 - HEIGHT],
  (x, y, width) => [x - width / 2, y + 10],
];

/**
 * Remembers where each label stands, so that it stays on its side of the head while there is room and the
 * race plays. At rest nothing is remembered: a link shows the picture that was shared, to the pixel.
 * @returns {(ink: CanvasRenderingContext2D, app: object, rect: object, heads: object[], taken: object[]) =>
 *   object[]} draws labels; a head is { index, x, y }, taken are boxes to avoid; returns all boxes
 */
export function createLabels() {
  const places = new Map();
  return (ink, app, rect, heads, taken) => {
    const boxes = [...taken, ...heads.map(({ x, y }) => ({ x: x - 7, y: y - 7, width: 14, height: 14 }))];
    if (!app.playing) places.clear();
    ink.save();
    ink.font = font(12);
    const first = ({ index }) => (index === app.hover?.racer ? 0 : index === app.selected ? 1 : 2);
    for (const head of [...heads].sort((a, b) => first(a) - first(b) || a.index - b.index)) {
      const box = placed(ink, app, rect, head, boxes, places);
      if (!box) continue;
      boxes.push(box);
      drawBox(ink, app, box);
    }
    ink.restore();
    return boxes;
  };
}

function placed(ink, app, rect, { index, x, y }, boxes, places) {
  const text = nameOf(app.state, index);
  const width = widthOf(ink, text) + INDENT + 12;
  const before = (app.playing && places.get(index)) || 0;
  for (const place of [before, 0, 1, 2, 3]) {
    const [bx, by] = PLACES[place](x, y, width);
    const box = { x: bx, y: by, width, height: HEIGHT, rows: [{ index, text }], indent: INDENT };
    const inside = bx > rect.left && bx + width < rect.right && by > rect.top && by + HEIGHT < rect.bottom;
    if (!inside || boxes.some((other) => covers(box, other))) continue;
    places.set(index, place);
    return box;
  }
  return null;
}

export const covers = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
