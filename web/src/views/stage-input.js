/** What both stage views answer alike: the wheel, the keys of their canvas, the step that is pointed at. */

/** A press that moves less than this is a click, in CSS pixels. */
export const STILL = 5;
/** A wheel at rest for so long has been let go of, in milliseconds. */
const REST = 200;

/**
 * The wheel scrolls the page until the picture has been clicked; a pinch on a touchpad is a wheel with ctrl.
 * @param {HTMLCanvasElement} canvas
 * @param {(factor: number, event: WheelEvent) => void} zoom
 * @param {() => void} settle
 */
export function listenToWheel(canvas, zoom, settle) {
  let timer = 0;
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !canvas.matches(":focus")) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 120 : 500)), event);
      clearTimeout(timer);
      timer = setTimeout(settle, REST);
    },
    { passive: false },
  );
}

/**
 * Keys of a canvas that has the focus.
 * @param {HTMLCanvasElement} canvas
 * @param {Record<string, () => void>} keys what each does
 * @param {() => void} settle
 */
export function listenToKeys(canvas, keys, settle) {
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
    settle();
  });
}

/**
 * Where the step that is pointed at is on the canvas, or null.
 * @param {object} app
 * @param {(x: number, y: number) => number[]} at where a place of the plane is on the canvas
 */
export function placeOfHover({ hover, paths }, at) {
  const path = hover && paths[hover.racer];
  if (!path) return null;
  const k = Math.min(hover.step, path.x.length - 1);
  const [x, y] = at(path.x[k], path.y[k]);
  return { x, y };
}
