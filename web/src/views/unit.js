/** The unit of the pictures: a CSS pixel, and more where the reader has chosen larger text. */

/** The size of text in a browser whose reader has chosen none, in CSS pixels. */
export const USUAL = 16;
/** A picture with fewer units than this has no room for larger text. */
const [ACROSS, DOWN] = [320, 200];

/** How much larger than usual the reader's text is; what a host page makes smaller does not count. */
export function textScale() {
  return Math.max(1, parseFloat(getComputedStyle(document.documentElement).fontSize) / USUAL);
}

/**
 * The size of a picture: its sides in units, the CSS pixels and the device pixels of a unit.
 * @param {Element} el
 * @param {number} [sharpest] more device pixels a CSS pixel than this are not seen
 * @returns {{ width: number, height: number, unit: number, ratio: number }}
 */
export function sizeOf({ clientWidth, clientHeight }, sharpest = 2) {
  const unit = Math.max(1, Math.min(textScale(), clientWidth / ACROSS, clientHeight / DOWN));
  const ratio = unit * Math.min(devicePixelRatio || 1, sharpest);
  return { width: clientWidth / unit, height: clientHeight / unit, unit, ratio };
}

/** Where a pointer or a finger is in a picture, in its units. @returns {number[]} */
export function placeIn(el, { clientX, clientY }) {
  const { left, top } = el.getBoundingClientRect();
  const { unit } = sizeOf(el);
  return [(clientX - left) / unit, (clientY - top) / unit];
}
