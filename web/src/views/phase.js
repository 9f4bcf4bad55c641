// The phase map: how far the selected racer comes, over its learning rate and its momentum, and where it
// diverges.

import { h } from "../ui/dom.js";
import { short } from "../ui/numbers.js";
import { momentumOf, racerAt } from "../race/phase.js";
import { drawTip, fresh, SHARPEST } from "./chart.js";
import { drawCurve, drawHereOn } from "./phase-curve.js";
import { listen } from "./phase-input.js";
import { PhaseJob } from "./phase-job.js";
import { bestOf, drawAxes, drawHere, drawLegend, drawPicture, frameOf, symbolOf } from "./phase-map.js";
import { font } from "./text.js";
import { sizeOf } from "./unit.js";
import { nameOf } from "../state/racers.js";

const NOBODY = "No racer is shown.";
const HINT = "Arrow keys move a cell at a time, Enter gives the racer these values.";

/** @param {HTMLElement} el @param {any} app */
export function createPhase(el, app) {
  const canvas = h("canvas", {
    class: "chart-canvas",
    tabindex: "0",
    role: "application",
    "aria-roledescription": "map",
  });
  const note = h("p", { class: "chart-empty", hidden: true });
  el.append(canvas, note);
  const view = new PhaseMap(canvas, note, app);
  const offs = ["state", "paths", "selected", "colors"].map((event) =>
    app.on(event, () => (view.stale = true)),
  );
  offs.push(listen(canvas, view));
  return {
    canvas,
    draw: () => view.draw(),
    resize: () => (view.stale = true),
    destroy: () => {
      view.job.stop();
      for (const off of offs) off();
      canvas.remove();
      note.remove();
    },
    label: () => view.label(),
  };
}

class PhaseMap {
  constructor(canvas, note, app) {
    Object.assign(this, { canvas, note, app, job: new PhaseJob(app), cell: null, frame: null, stale: true });
    this.layer = document.createElement("canvas");
    this.pixels = document.createElement("canvas");
  }

  get racer() {
    return this.app.state.racers[this.app.selected];
  }

  get map() {
    return this.job.map;
  }

  draw() {
    const { width, height, ratio } = sizeOf(this.canvas, SHARPEST);
    if (!width || !height) return;
    if (this.racer) this.job.follow();
    else this.job.end();
    const note = this.racer ? this.job.problem : NOBODY;
    this.note.hidden = !note;
    this.note.textContent = note ?? "";
    const ctx = fresh(this.canvas, width, height, ratio);
    if (!this.map) return this.point(null);
    const key = `${width} ${height} ${ratio} ${this.job.done} ${this.job.fresh}`;
    if (this.stale || key !== this.key || this.drawn !== this.map) this.picture(key, width, height, ratio);
    ctx.drawImage(this.layer, 0, 0, width, height);
    this.here(ctx);
    if (this.cell) this.drawCell(ctx, width);
  }

  /** The part that stays while the racer moves over the map. */
  picture(key, width, height, ratio) {
    Object.assign(this, { key, width, height, stale: false, drawn: this.map });
    const { map, app } = this;
    const frame = (this.frame = frameOf(map, width, height));
    const ctx = fresh(this.layer, width, height, ratio);
    ctx.globalAlpha = this.job.fresh ? 1 : 0.45;
    if (map.other) drawPicture(ctx, this.pixels, map, frame, app.colors);
    ctx.globalAlpha = 1;
    drawAxes(ctx, map, frame, app.colors);
    if (!map.other) drawCurve(ctx, map, frame, this.racer.hue, app.colors);
    const end = drawLegend(ctx, map.other ? bestOf(map) : null, width, app.colors);
    this.title(ctx, end - 8);
    this.progress(ctx);
    this.canvas.setAttribute("aria-label", this.label());
  }

  title(ctx, room) {
    const { steps } = this.app.state;
    const count = steps === 1 ? "1 step" : `${steps} steps`;
    const choices = [
      `${nameOf(this.app.state, this.app.selected)}: loss after ${count}`,
      `loss after ${count}`,
      `loss, ${count}`,
      "loss",
    ];
    ctx.font = font(12, 600);
    ctx.textAlign = "left";
    ctx.fillStyle = this.app.colors.ink;
    ctx.fillText(choices.find((text) => ctx.measureText(text).width <= room) ?? "", 0, 12);
  }

  /** A thin line along the top while it computes. */
  progress(ctx) {
    const { left, right, top } = this.frame;
    if (this.job.done >= 1) return;
    ctx.fillStyle = this.app.colors.accent;
    ctx.fillRect(left, top - 3, (right - left) * this.job.done, 2);
  }

  here(ctx) {
    if (this.map.other) drawHere(ctx, this.map, this.frame, this.racer, this.app.colors);
    else drawHereOn(ctx, this.map, this.frame, this.racer, this.app.colors);
  }

  drawCell(ctx, width) {
    const { left, right, top, bottom } = this.frame;
    const [w, t] = [(right - left) / this.map.columns, (bottom - top) / this.map.rows];
    const [x, y] = [left + this.cell.column * w, bottom - (this.cell.row + 1) * t];
    for (const [wide, color] of [
      [3, this.app.colors.page],
      [1.5, this.app.colors.ink],
    ]) {
      ctx.lineWidth = wide;
      ctx.strokeStyle = color;
      ctx.strokeRect(x, y, w, t);
    }
    drawTip(ctx, { width, app: this.app }, x + w / 2, Math.max(y, top), this.describe(this.cell));
  }

  /** A cell in words. */
  describe(cell) {
    const { lr, other } = this.valuesOf(cell);
    const value = this.map.values[cell.row * this.map.columns + cell.column];
    const place = `lr ${short(lr)}${this.map.other ? `, ${symbolOf(this.map.other)} ${short(other)}` : ""}`;
    if (Number.isNaN(value)) return `${place}: not computed yet`;
    return `${place}: ${value === Infinity ? "diverges" : `loss × ${short(10 ** value, 2)}`}`;
  }

  ready() {
    return this.map !== null && this.frame !== null;
  }

  size() {
    return this.map;
  }

  valuesOf({ column, row }) {
    return tidy({ lr: this.map.lr.values[column], other: this.map.other?.values[row] ?? 0 });
  }

  valueAt(x, y) {
    if (!this.ready()) return null;
    const { left, right, top, bottom } = this.frame;
    const lr = this.frame.x.invert(Math.min(Math.max(x, left), right));
    const other = this.frame.y ? this.frame.y.invert(Math.min(Math.max(y, top), bottom)) : 0;
    return tidy({ lr, other: Math.min(Math.max(other, 0), this.map.other?.values.at(-1) ?? 0) });
  }

  cellAt(x, y) {
    if (!this.ready()) return null;
    const { left, right, top, bottom } = this.frame;
    const { columns, rows } = this.map;
    const [column, row] = [
      Math.floor(((x - left) / (right - left)) * columns),
      Math.floor(((bottom - y) / (bottom - top)) * rows),
    ];
    return column >= 0 && column < columns && row >= 0 && row < rows ? { column, row } : null;
  }

  cursor() {
    return this.cell;
  }

  /** The cell that the racer is in. */
  where() {
    const { lr, other } = this.map;
    const nearest = (values, value) =>
      values.reduce((best, v, i) => (Math.abs(v - value) < Math.abs(values[best] - value) ? i : best), 0);
    const column = nearest(lr.values.map(Math.log), Math.log(this.racer.options.lr));
    return { column, row: other ? nearest(other.values, momentumOf(this.racer, other)) : 0 };
  }

  point(cell) {
    if ((!this.map && cell) || (cell?.column === this.cell?.column && cell?.row === this.cell?.row)) return;
    this.cell = cell;
    if (cell && this.canvas.matches(":focus-visible")) this.app.announce(this.describe(cell));
    this.app.invalidate();
  }

  place({ lr, other }) {
    if (!this.map) return;
    const { options } = racerAt(this.racer, this.map.other, lr, other);
    this.app.setRacer(this.app.selected, { options });
  }

  label() {
    const name = this.racer ? nameOf(this.app.state, this.app.selected) : "";
    if (!this.map) return `Phase map of ${name}. ${HINT}`;
    const axes = this.map.other ? `learning rate and ${this.map.other.name}` : "learning rate";
    const shares = this.map.values.filter((value) => value === Infinity).length / this.map.values.length;
    return `Phase map of ${name} over ${axes}: ${Math.round(100 * shares)} % of it diverges. ${HINT}`;
  }
}

/** Numbers that one can say. */
function tidy({ lr, other }) {
  return { lr: Number(lr.toPrecision(3)), other: Number(other.toFixed(other > 0.95 ? 3 : 2)) };
}
