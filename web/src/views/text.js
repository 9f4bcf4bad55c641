/** How text is set on the canvases. */

const FAMILY =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif';

/** The font of the page at a size in CSS pixels. */
export const font = (size, weight = 400) => `${weight} ${size}px ${FAMILY}`;

/** A name with its number set low, as w₁. */
export const lowered = (name) =>
  name.replace(/(?<=^[a-z])\d$/, (digit) => String.fromCharCode(0x2080 + Number(digit)));

/** A name without what stands in parentheses after it. */
export const withoutNote = (name) => name.replace(/ \(.*\)$/, "");
