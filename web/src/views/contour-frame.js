/** The geometry of the contour view: which part of the plane is shown, and where on the canvas. */

/** Equal scales on both axes are worth showing up to this much more of one axis than the surface asks for. */
const STRETCH = 2;
/** A view cannot be smaller than this share of the surface's box, or larger than this multiple. */
const CLOSEST = 1e-6;
const FARTHEST = 50;

/** A view smaller than this has the names of its axes at their ends. */
const NARROW = 480;
/** The width of a digit beside the plot. */
const LETTER = 7;

/**
 * The rectangle of the plot in CSS pixels; the rest carries the axes. A measured surface has nothing around
 * its box, so the plot has its shape.
 * @param {{ width: number, height: number }} size
 * @param {object} surface
 * @param {number} [letters] of the longest number beside the plot
 * @returns {{ left: number, top: number, right: number, bottom: number, narrow: boolean }}
 */
export function plotRect({ width, height }, { measured, box: [x0, x1, y0, y1], axes }, letters = 2) {
  const narrow = width < NARROW;
  const name = narrow ? 0 : axes ? 18 : 16;
  const left = Math.max(narrow ? 30 : 48, name + 18 + LETTER * letters);
  const rect = {
    left,
    top: 10,
    right: width - (narrow ? 8 : 12),
    bottom: height - (narrow ? 24 : 38),
    narrow,
  };
  if (!measured) return rect;
  const [across, down] = [rect.right - rect.left, rect.bottom - rect.top];
  const spare = across - (down * (x1 - x0)) / (y1 - y0);
  if (spare > 0) return { ...rect, left: rect.left + spare / 2, right: rect.right - spare / 2 };
  const over = down - (across * (y1 - y0)) / (x1 - x0);
  return { ...rect, top: rect.top + over / 2, bottom: rect.bottom - over / 2 };
}

/**
 * The part of the plane to show for a surface's box: wider or higher so that both axes have one scale, unless
 * that would show too little of the box.
 * @param {number[]} box [x0, x1, y0, y1]
 */
export function fitted([x0, x1, y0, y1], rect) {
  const across = (x1 - x0) / (rect.right - rect.left);
  const up = (y1 - y0) / (rect.bottom - rect.top);
  const unit = Math.max(across, up);
  if (unit / Math.min(across, up) > STRETCH) return [x0, x1, y0, y1];
  const grow = (low, high, length) => {
    const more = (unit * length - (high - low)) / 2;
    return [low - more, high + more];
  };
  return [...grow(x0, x1, rect.right - rect.left), ...grow(y0, y1, rect.bottom - rect.top)];
}

/**
 * The mapping between the plane and the canvas.
 * @param {number[]} shown [x0, x1, y0, y1]
 * @param {{ left: number, top: number, right: number, bottom: number }} rect
 * @param {number[]} [whole] what is shown without zoom; its place on the canvas is `home`
 */
export function createFrame(shown, rect, whole = shown) {
  const [x0, x1, y0, y1] = shown;
  const kx = (rect.right - rect.left) / (x1 - x0);
  const ky = (rect.bottom - rect.top) / (y1 - y0);
  const px = (x) => rect.left + (x - x0) * kx;
  const py = (y) => rect.bottom - (y - y0) * ky;
  const home = { left: px(whole[0]), right: px(whole[1]), top: py(whole[3]), bottom: py(whole[2]) };
  return {
    shown,
    rect,
    home,
    px,
    py,
    x: (u) => x0 + (u - rect.left) / kx,
    y: (v) => y0 + (rect.bottom - v) / ky,
    contains: (u, v) => within(rect, u, v),
    atHome: (u, v) => within(home, u, v),
  };
}

const within = ({ left, right, top, bottom }, x, y) => x >= left && x <= right && y >= top && y <= bottom;

/** A box in few digits, for links: to a ten thousandth of its sides. */
export function tidy([x0, x1, y0, y1]) {
  const unit = 10 ** Math.floor(Math.log10(Math.min(x1 - x0, y1 - y0) / 5000));
  return [x0, x1, y0, y1].map((v) => Number((Math.round(v / unit) * unit).toPrecision(12)));
}

/** The part of the plane to show after the ground was dragged by a number of pixels. */
export function panned(frame, dx, dy) {
  const { rect } = frame;
  const x = frame.x(rect.left - dx);
  const y = frame.y(rect.bottom - dy);
  const [x0, x1, y0, y1] = frame.shown;
  return [x, x + x1 - x0, y, y + y1 - y0];
}

/**
 * The part of the plane to show after zooming around a place of the canvas; the box keeps the zoom sensible.
 */
export function zoomed(frame, factor, px, py, box) {
  const [x0, x1, y0, y1] = frame.shown;
  const x = frame.x(px);
  const y = frame.y(py);
  const share = (x1 - x0) / (box[1] - box[0]);
  const k = Math.min(Math.max(1 / factor, CLOSEST / share), FARTHEST / share);
  return [x - (x - x0) * k, x + (x1 - x) * k, y - (y - y0) * k, y + (y1 - y) * k];
}
