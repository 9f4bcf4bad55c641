/** Arithmetic of colours: what every palette here is made with. */

/** Red, green and blue, 0 to 255, of a colour written as #rrggbb. @returns {number[]} */
export const channels = (colour) => [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16));

/** Two colours (#rrggbb) mixed: 0 gives the first, 1 the second. */
export function mix(a, b, share) {
  const to = channels(b);
  const mixed = channels(a).map((v, k) => Math.round(v + (to[k] - v) * share));
  return `#${mixed.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

/** The light of a channel of sRGB, 0 to 255, from 0 to 1. */
export const linear = (v) => (v <= 10.31475 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4);
