// A line chart over the steps, with as many frames under each other as its model has panels.
//
// The ground (grid, axes, names) and the curves are each drawn once to a canvas of their own; a frame copies
// them, the curves strong up to the playhead and faint after it, so that playing costs little however many
// points there are.

import { h } from "../ui/dom.js";
import { short } from "../ui/numbers.js";
import { drawCurves, drawGround, drawNames, frames, line } from "./chart-panel.js";
import { listen } from "./chart-input.js";
import { drawMark } from "./trails-marks.js";
import { font } from "./text.js";
import { sizeOf } from "./unit.js";

/** More device pixels a CSS pixel than this are not seen. */
export const SHARPEST = 3;
const FAINT = 0.3;
const REACH = 30; // pixels around the pointer within which a curve is found

/**
 * @param {HTMLElement} el
 * @param {any} app
 * @param {{ name: string, model: (app: any) => { panels: import("./chart-panel.js").Panel[] },
 *   value: (app: any, hover: { racer: number, step: number }) => string, first?: number }} given
 *   `name` is what it shows, in a few words; `value` is what a hover says
 */
export function createChart(el, app, { name, model, value }) {
  const canvas = h("canvas", { class: "chart-canvas", tabindex: "0", role: "slider" });
  const label = () => `${name}. Arrow keys move through the steps.`;
  canvas.setAttribute("aria-label", label());
  const empty = h("p", { class: "chart-empty", hidden: true }, "No racer is shown.");
  el.append(canvas, empty);
  const chart = new Chart(canvas, empty, app, model, value);
  const offs = ["paths", "surface", "state", "selected", "colors"].map((event) =>
    app.on(event, () => chart.spoil()),
  );
  offs.push(
    app.on("step", () => app.invalidate()),
    app.on("hover", () => app.invalidate()),
  );
  offs.push(listen(canvas, app, chart));
  return {
    canvas,
    draw: () => chart.draw(),
    resize: () => chart.spoil(),
    destroy: () => {
      for (const off of offs) off();
      canvas.remove();
      empty.remove();
    },
    label,
  };
}

/** What each chart remembers between frames: its layers, and the model they were drawn from. */
class Chart {
  constructor(canvas, empty, app, model, value) {
    Object.assign(this, { canvas, empty, app, model, value, frames: [], stale: true });
    this.ground = document.createElement("canvas");
    this.curves = document.createElement("canvas");
  }

  spoil() {
    this.stale = true;
    this.app.invalidate();
  }

  draw() {
    const { width, height, ratio } = sizeOf(this.canvas, SHARPEST);
    if (!width || !height) return;
    if (this.stale || width !== this.width || height !== this.height || ratio !== this.ratio) {
      Object.assign(this, { width, height, ratio, stale: false });
      this.layers();
    }
    this.compose();
    this.speak();
  }

  /** Draw both layers anew. */
  layers() {
    const { width, height, ratio, app } = this;
    const made = this.model(app);
    this.spoken = null;
    this.empty.hidden = made.panels.some(({ curves }) => curves.length > 0);
    const [ground, curves] = [this.ground, this.curves].map((layer) => fresh(layer, width, height, ratio));
    this.frames = frames(ground, made.panels, app.state.steps, width, height);
    for (const frame of this.frames) {
      drawGround(ground, frame, app.colors);
      drawCurves(curves, frame, app.colors);
      drawNames(ground, frame, width, app.colors);
    }
  }

  /** Put the layers together: what happened, what is still to come, the playhead, and what is hovered. */
  compose() {
    const { width, height, ratio, app, canvas } = this;
    const ctx = fresh(canvas, width, height, ratio);
    ctx.drawImage(this.ground, 0, 0, width, height);
    if (!this.frames.length) return;
    const at = this.frames[0].x.at(app.step);
    this.copyCurves(ctx, 0, at, 1);
    this.copyCurves(ctx, at, width, FAINT);
    for (const frame of this.frames) drawPlayhead(ctx, frame, at, app.colors);
    for (const frame of this.frames) {
      for (const curve of frame.panel.curves) this.mark(ctx, frame, curve, app.step, 3.4);
    }
    if (app.hover) this.drawHover(ctx, app.hover);
  }

  copyCurves(ctx, from, to, alpha) {
    const [left, right] = [from, to].map((x) => Math.round(x * this.ratio));
    if (right <= left) return;
    const { width, height } = this.curves;
    const [cut, share] = [Math.min(right, width) - left, 1 / this.ratio];
    ctx.globalAlpha = alpha;
    ctx.drawImage(this.curves, left, 0, cut, height, left * share, 0, cut * share, height * share);
    ctx.globalAlpha = 1;
  }

  /** A racer's mark at a step, or between two while it plays. */
  mark(ctx, frame, curve, step, radius) {
    const before = Math.floor(step);
    const [y, next] = [before, before + 1].map((at) => frame.y.at(valueAt(curve, at)));
    const place = step > before && Number.isFinite(next) ? y + (next - y) * (step - before) : y;
    if (!(place > frame.top - 1 && place < frame.bottom + 1)) return;
    const { page, hues } = this.app.colors;
    const x = frame.x.at(Number.isFinite(next) ? step : before);
    drawMark(ctx, { hue: curve.hue, x, y: place, radius, fill: hues[curve.hue], rim: page, width: 2.5 });
  }

  drawHover(ctx, hover) {
    const { colors } = this.app;
    const x = this.frames[0].x.at(hover.step);
    let tip = null;
    for (const frame of this.frames) {
      ctx.setLineDash([2, 3]);
      ctx.lineWidth = 1;
      line(ctx, x, frame.top - 4, x, frame.bottom, colors.soft);
      ctx.setLineDash([]);
      const curve = frame.panel.curves.find((c) => c.racer === hover.racer);
      if (!curve) continue;
      this.mark(ctx, frame, curve, hover.step, 5);
      const y = frame.y.at(valueAt(curve, hover.step)) || frame.top;
      tip ??= Math.max(frame.top, Math.min(y, frame.bottom));
    }
    if (tip !== null) drawTip(ctx, this, x, tip, this.value(this.app, hover));
  }

  /** The step at a pixel. */
  stepAt(x) {
    const { steps } = this.app.state;
    const step = this.frames.length ? Math.round(this.frames[0].x.invert(x)) : 0;
    return Math.max(0, Math.min(steps, step));
  }

  /** The racer whose curve is nearest to a point, and the step there; null away from all of them. */
  find(x, y) {
    const step = this.stepAt(x);
    let [found, nearest] = [null, REACH];
    for (const frame of this.frames) {
      for (const curve of frame.panel.curves) {
        const distance = Math.abs(frame.y.at(valueAt(curve, step)) - y);
        if (distance < nearest) [found, nearest] = [{ racer: curve.racer, step }, distance];
      }
    }
    return found;
  }

  /** The values at a step, in words. */
  describe(step) {
    const { state } = this.app;
    const parts = this.frames.map(({ panel }) => {
      const values = panel.curves.map((curve) => `${curve.name} ${spoken(curve, step)}`);
      return `${panel.title}: ${values.join(", ")}`;
    });
    return `Step ${step} of ${state.steps}. ${parts.join(". ")}`;
  }

  speak() {
    const step = Math.round(this.app.step);
    if (step === this.spoken && this.steps === this.app.state.steps) return;
    [this.spoken, this.steps] = [step, this.app.state.steps];
    this.canvas.setAttribute("aria-valuemin", "0");
    this.canvas.setAttribute("aria-valuemax", String(this.steps));
    this.canvas.setAttribute("aria-valuenow", String(step));
    if (!this.app.playing) this.canvas.setAttribute("aria-valuetext", this.describe(step));
  }
}

/** The value of a curve at a step, in either of its styles. */
function valueAt(curve, step) {
  const value = curve.values[step];
  return Number.isFinite(value) ? value : (curve.against?.[step] ?? NaN);
}

function spoken(curve, step) {
  const value = valueAt(curve, step);
  if (Number.isFinite(value)) return short(value);
  return curve.end && step > curve.end.step ? curve.end.word : "no value";
}

/** A canvas of a size in units, cleared; its context draws in them. */
export function fresh(canvas, width, height, ratio) {
  const [w, t] = [Math.round(width * ratio), Math.round(height * ratio)];
  const ctx = canvas.getContext("2d");
  if (canvas.width !== w || canvas.height !== t) [canvas.width, canvas.height] = [w, t];
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, w, t);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  return ctx;
}

function drawPlayhead(ctx, { top, bottom }, at, colors) {
  const x = Math.round(at) + 0.5;
  ctx.lineWidth = 1;
  line(ctx, x, top - 4, x, bottom, colors.soft);
}

/** A line of text above a point, or below it where it would leave the canvas. */
export function drawTip(ctx, { width, app }, x, y, text) {
  if (!text) return;
  ctx.font = font(12);
  const room = ctx.measureText(text).width + 16;
  const left = Math.max(0, Math.min(x - room / 2, width - room));
  const top = y < 52 ? y + 12 : y - 32;
  ctx.fillStyle = app.colors.ink;
  ctx.beginPath();
  ctx.roundRect(left, top, room, 21, 5);
  ctx.fill();
  ctx.fillStyle = app.colors.page;
  ctx.textAlign = "left";
  ctx.fillText(text, left + 8, top + 14.5);
}
