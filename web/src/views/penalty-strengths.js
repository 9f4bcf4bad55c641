/** How strongly decay, penalties and proximal steps pull a racer to zero. */

import { ticks } from "./chart-scale.js";

const LEVELS = 5;

/** How a transform pulls the parameters to zero: l1 |p| + l2/2 p². The library's elastic net has l2 p². */
const PULLS = {
  coupled_decay: ({ weight_decay: l2 }) => ({ l2 }),
  decoupled_decay: ({ weight_decay: l2 }) => ({ l2 }),
  l1_penalty: ({ l1 }) => ({ l1 }),
  l1_prox: ({ l1 }) => ({ l1 }),
  elastic_net_penalty: ({ l1, l2 }) => ({ l1, l2: 2 * l2 }),
  elastic_net_prox: ({ l1, l2 }) => ({ l1, l2: 2 * l2 }),
};

/**
 * What pulls a racer to zero: its weight decay, where it was chosen, and its transforms.
 * @returns {{ l1: number, l2: number }}
 */
export function penaltyOf({ options = {}, transforms = [] }) {
  const sum = { l1: 0, l2: options.weight_decay || 0 };
  for (const { name, options: chosen } of transforms) {
    const { l1 = 0, l2 = 0 } = PULLS[name]?.(chosen) ?? {};
    sum.l1 += l1 || 0;
    sum.l2 += l2 || 0;
  }
  return sum;
}

/** Round penalties between two, to draw lines at; near the highest these would be cut by the border. */
export const levelsWithin = (low, high) =>
  ticks(low, low + (high - low) * 0.6, LEVELS).filter((level) => level > low);
