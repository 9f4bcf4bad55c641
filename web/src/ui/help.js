import { dialog } from "./dialog.js";
import { h } from "./dom.js";

const KEYS = [
  ["Space", "play or pause"],
  ["← →", "one step back or forward; with Shift, ten"],
  ["Home End", "the first or the last step"],
  ["Arrows on the start", "move it; with Shift, further"],
  ["Arrows on the stage", "move or turn the view; + and − zoom, 0 shows all"],
  ["1 … 9", "select a racer"],
  ["V", "contour or 3-D"],
  ["N", "next lesson"],
  ["T", "tune each learning rate"],
  ["Ctrl Z, Ctrl Shift Z", "undo, redo"],
  ["?", "this help"],
];

/** Opens the help. @param {ParentNode} root */
export function showHelp(root) {
  const rows = KEYS.map(([keys, deed]) =>
    h("tr", null, h("th", { scope: "row" }, keys.split(", ").map(key)), h("td", null, deed)),
  );
  const text = [
    h(
      "p",
      null,
      "Optimizers race from one start to the lowest point they find. Drag the start: all trails follow.",
    ),
    h(
      "p",
      null,
      "The rules are those of the library. A race at one shared learning rate misleads, so tune each.",
    ),
  ];
  dialog(root, "Help", [...text, h("table", { class: "keys" }, h("tbody", null, rows))]);
}

const key = (text, i) => [i ? " " : null, h("kbd", null, text)];
