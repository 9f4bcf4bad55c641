/** The stage as a picture. */

import { createSheet } from "./sheet.js";

const WIDTH = 1200;
const STAGE = 780;

/**
 * The current stage view with a title and the names of the racers.
 * @param {object} app
 * @returns {Promise<Blob>} a PNG, twice as sharp as it is large
 */
export async function png(app) {
  const sheet = createSheet(app, { width: WIDTH, stage: STAGE, ratio: 2 });
  try {
    sheet.paint(app.step);
    const blob = await new Promise((resolve) => sheet.canvas.toBlob(resolve, "image/png"));
    if (!blob) throw new Error("The browser could not make a picture.");
    return blob;
  } finally {
    sheet.destroy();
  }
}
