/** The sheet that is exported: a title, the stage as it is seen, and the names of the racers. */

import { short } from "../ui/numbers.js";
import { font } from "../views/text.js";
import { createContourPicture } from "../views/contour-picture.js";
import { createSurfacePicture } from "../views/surface3d-picture.js";
import { drawMark } from "../views/trails-marks.js";
import { nameOf } from "../state/racers.js";

const PAD = 14;
const ROW = 22;

/**
 * The app as it is now, at any step and with nothing pointed at; what the person changes meanwhile does not
 * matter.
 */
function frozen(app) {
  const { state, paths, surface, colors } = app;
  return Object.assign(Object.create(app), {
    state,
    paths,
    surface,
    colors,
    hover: null,
    step: app.step,
    invalidate() {},
  });
}

/** The stage alone, on a canvas. */
function stageOf(app, size) {
  const canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d");
  [canvas.width, canvas.height] = [size.width * size.ratio, size.height * size.ratio];
  if (app.state.view.stage !== "surface") {
    const picture = createContourPicture(app);
    return { canvas, paint: () => picture.paint(ink, size), destroy: picture.destroy };
  }
  const ground = document.createElement("canvas");
  const picture = createSurfacePicture(app, ground);
  if (!picture) throw new Error("This browser offers no WebGL2; export the contour view.");
  const over = document.createElement("canvas");
  const pen = over.getContext("2d");
  [over.width, over.height] = [canvas.width, canvas.height];
  const paint = () => {
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, over.width, over.height);
    picture.paint(pen, size);
    ink.drawImage(ground, 0, 0, canvas.width, canvas.height);
    ink.drawImage(over, 0, 0);
  };
  return { canvas, paint, destroy: picture.destroy };
}

/**
 * A sheet of a width, to be painted at any step.
 * @param {object} app
 * @param {{ width: number, stage: number, ratio: number }} options CSS pixels: the sheet's width, the stage's
 *   height
 * @returns {{ canvas: HTMLCanvasElement, paint: (step: number) => void, destroy: () => void }}
 */
export function createSheet(app, { width, stage: height, ratio }) {
  const race = frozen(app);
  const large = width > 800;
  const head = large ? 50 : 36;
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = font(large ? 14 : 12);
  const rows = legendRows(pen, race, width);
  const canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d", {
    alpha: false,
    willReadFrequently: true,
  });
  const stage = stageOf(race, { width, height, ratio });
  const total = head + height + rows.length * ROW + PAD;
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(total * ratio)];
  const paint = (step) => {
    race.step = step;
    stage.paint();
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.fillStyle = race.colors.page;
    ink.fillRect(0, 0, width, total);
    drawTitle(ink, race, width, head, large);
    ink.drawImage(stage.canvas, 0, head, width, height);
    ink.font = font(large ? 14 : 12);
    drawLegend(ink, race, rows, head + height + 4);
  };
  return { canvas, paint, destroy: stage.destroy };
}

function drawTitle(ink, app, width, head, large) {
  const { colors, state, surface } = app;
  const right = `step ${Math.floor(app.step)} of ${state.steps}`;
  ink.textBaseline = "middle";
  ink.font = font(large ? 14 : 12);
  ink.fillStyle = colors.soft;
  ink.textAlign = "right";
  ink.fillText(right, width - PAD, head / 2 + 2);
  const room = width - 3 * PAD - ink.measureText(right).width;
  ink.textAlign = "left";
  ink.font = font(large ? 18 : 14, 600);
  ink.fillStyle = colors.ink;
  const title = `thalweg  ${surface.label}`;
  ink.fillText(title, PAD, head / 2 + 2, room);
  const used = ink.measureText(`${title}  `).width;
  ink.font = font(large ? 14 : 12);
  ink.fillStyle = colors.soft;
  const formula = state.surface.formula || "";
  if (formula && used + ink.measureText(formula).width < room)
    ink.fillText(formula, PAD + used, head / 2 + 2);
}

/** The racers in rows that fit the width: mark, name, rate. */
function legendRows(ink, app, width) {
  const rows = [[]];
  let x = PAD;
  app.state.racers.forEach((racer, index) => {
    if (racer.hidden) return;
    const { lr } = racer.options;
    const text = `${nameOf(app.state, index)}${lr === undefined ? "" : `, lr ${short(lr)}`}`;
    const size = ink.measureText(text).width + 36;
    if (x + size > width && x > PAD) [x] = [PAD, rows.push([])];
    rows[rows.length - 1].push({ x, text, hue: racer.hue });
    x += size;
  });
  return rows;
}

function drawLegend(ink, { colors }, rows, top) {
  ink.textAlign = "left";
  rows.forEach((row, k) => {
    const y = top + ROW * (k + 0.5);
    for (const { x, text, hue } of row) {
      drawMark(ink, { hue, x: x + 6, y, radius: 4.6, fill: colors.hues[hue], rim: colors.page, width: 1 });
      ink.fillStyle = colors.ink;
      ink.fillText(text, x + 17, y + 0.5);
    }
  });
}
