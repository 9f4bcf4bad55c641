// Direct labels: names at the ends of curves, moved apart.

/**
 * Positions moved apart to at least `gap`, inside [low, high], their order kept.
 * @param {number[]} positions
 * @param {number} gap
 * @param {number} low
 * @param {number} high
 * @returns {number[]}
 */
export function spread(positions, gap, low, high) {
  const order = positions.map((_, i) => i).sort((a, b) => positions[a] - positions[b] || a - b);
  const placed = order.map((i) => Math.min(Math.max(positions[i], low), high));
  for (let i = 1; i < placed.length; i += 1) placed[i] = Math.max(placed[i], placed[i - 1] + gap);
  let limit = high;
  for (let i = placed.length - 1; i >= 0; i -= 1) {
    placed[i] = Math.min(placed[i], limit);
    limit = placed[i] - gap;
  }
  const result = new Array(positions.length);
  order.forEach((i, k) => (result[i] = placed[k]));
  return result;
}

/**
 * Text cut to a width, with an ellipsis.
 * @param {string} text @param {number} width @param {(text: string) => number} measure @returns {string}
 */
export function fit(text, width, measure) {
  if (measure(text) <= width) return text;
  let end = text.length - 1;
  while (end > 1 && measure(`${text.slice(0, end)}…`) > width) end -= 1;
  return `${text.slice(0, end).trimEnd()}…`;
}

/**
 * Which of many labels to show where only `room` fit: the selected one first, then the order given.
 * @template {{ strong?: boolean }} T @param {T[]} labels @param {number} room @returns {T[]}
 */
export function chosen(labels, room) {
  if (labels.length <= room) return labels;
  const kept = new Set(
    [...labels.filter((l) => l.strong), ...labels.filter((l) => !l.strong)].slice(0, room),
  );
  return labels.filter((label) => kept.has(label));
}
