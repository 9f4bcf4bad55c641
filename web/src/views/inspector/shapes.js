// Small shapes: the sizes of a state's values as bars, and the gradient's direction beside that of the move.

import { h } from "../../ui/dom.js";

const [HALF, RADIUS] = [46, 38];

/** Two bars from a common middle, before (thin) over after. @param {number} before from -1 to 1 */
export function bars(before, after, hue) {
  const bar = (share, kind) => {
    const size = Math.min(Math.abs(share) || 0, 1) * 50;
    const style = { width: `${size}%`, left: share < 0 ? `${50 - size}%` : "50%", background: hue };
    return h("span", { class: kind, style });
  };
  return h("span", { class: "bars", "aria-hidden": "true" }, bar(before, "before"), bar(after, "after"));
}

/**
 * Two directions from one point, and the angle between them.
 * @param {number[]} downhill
 * @param {number[]} move
 * @param {any} colors
 * @param {string} hue
 * @param {string[]} names
 */
export function arrows(downhill, move, colors, hue, names) {
  const angle = between(downhill, move);
  const text = angle === null ? "no move" : `${Math.round(angle)}° from downhill`;
  const svg = h("svg", {
    class: "arrows",
    viewBox: `${-HALF} ${-HALF} ${2 * HALF} ${2 * HALF}`,
    role: "img",
  });
  svg.setAttribute("aria-label", `Direction of the move: ${text}`);
  svg.append(
    h("circle", { r: RADIUS, fill: "none", stroke: colors.faint }),
    h("path", { d: `M${-RADIUS} 0H${RADIUS}M0 ${-RADIUS}V${RADIUS}`, stroke: colors.faint }),
    ...arrow(downhill, colors.soft, 1.5, "3 3"),
    ...arrow(move, hue, 2.5, null),
  );
  return h(
    "figure",
    { class: "inspector-arrows" },
    svg,
    h(
      "figcaption",
      { title: `${names.join(" to the right, ")} upwards; dotted: downhill, the direction of −gradient` },
      text,
    ),
  );
}

/** The angle in degrees; null where one of them is zero. @returns {number | null} */
export function between(a, b) {
  const turn = Math.atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]);
  const known = [a, b].every((v) => Math.hypot(...v) > 0 && v.every(Number.isFinite));
  return known ? Math.abs((turn * 180) / Math.PI) : null;
}

/** An arrow of full length; nothing for a vector of length 0. */
function arrow([x, y], stroke, width, dash) {
  const length = Math.hypot(x, y);
  if (!(length > 0 && length < Infinity)) return [];
  const [u, v] = [x / length, -y / length];
  const [tipX, tipY] = [u * RADIUS, v * RADIUS];
  const wing = (side) => `${tipX - 8 * u + 4 * side * -v} ${tipY - 8 * v + 4 * side * u}`;
  return [
    h("path", {
      d: `M0 0L${tipX - 4 * u} ${tipY - 4 * v}`,
      stroke,
      "stroke-width": width,
      "stroke-dasharray": dash,
      fill: "none",
    }),
    h("path", { d: `M${tipX} ${tipY}L${wing(1)}L${wing(-1)}Z`, fill: stroke }),
  ];
}
