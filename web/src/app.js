import { simulate } from "./race/simulate.js";
import { createSurface, standIn } from "./surfaces/index.js";

/** How long a whole run plays at speed 1, in seconds. */
const RUN_SECONDS = 8;
/** With reduced motion a run plays in this many still pictures, this many milliseconds apart. */
const STILLS = 10;
const STILL_PAUSE = 700;
/** Measures kept for whoever reads them; older ones are cleared, so that hours of playing keep no memory. */
const MEASURES = 2000;

/** What of a racer changes its path: all but how it is shown. */
function pathKey({ hidden, hue, label, ...simulated }) {
  return JSON.stringify(simulated);
}

/** The path of a racer that could not start: a point. */
function pointPath([x, y], loss) {
  const none = new Float64Array(0);
  const [px, py, at] = [x, y, loss].map((value) => Float64Array.of(value));
  return { steps: 0, x: px, y: py, loss: at, gx: none, gy: none, lr: none, ended: null, evaluations: 0 };
}

/**
 * The one object every view and panel works with: the state, what is computed from it, and one frame loop.
 *
 * Paths are recomputed synchronously when the state is set, only those of racers that changed. Views are
 * drawn in the next frame. `performance` gets a measure "thalweg:frame" for each frame and "thalweg:drag"
 * from a pointer or key event that moved the start until the frame that shows it was drawn.
 */
export class App {
  /**
   * @param {object} state normalized
   * @param {{ slices?: object[], reducedMotion?: boolean }} [given]
   */
  constructor(state, { slices = [], reducedMotion = false } = {}) {
    this.slices = slices;
    this.reducedMotion = reducedMotion;
    this.playing = false;
    this.hover = null;
    this.colors = null;
    this.views = new Set();
    this.announce = () => {};
    /** Why the typed surface cannot be drawn: null | { message, position }. */
    this.surfaceProblem = null;
    /** Why a racer cannot run, in the order of the racers: null | string. */
    this.problems = [];
    /** When the input event that the page is answering happened. */
    this.inputAt = null;
    this._listeners = new Map();
    this._keys = [];
    this._frame = 0;
    this._dragFrom = null;
    this._lastFrame = null;
    this._measures = 0;
    this.paths = [];
    this.surface = null;
    this.state = state;
    this._recompute();
    this.step = this._restingStep();
  }

  /** @param {(...args: any[]) => void} fn @returns {() => void} off */
  on(event, fn) {
    const listeners = this._listeners.get(event) ?? new Set();
    this._listeners.set(event, listeners.add(fn));
    return () => listeners.delete(fn);
  }

  emit(event, ...details) {
    for (const fn of [...(this._listeners.get(event) ?? [])]) fn(...details);
  }

  /**
   * Merges a patch into the state, recomputes what depends on it and asks for a frame.
   *
   * @param {object} patch
   * @param {{ silent?: boolean }} [options] silent: the change is no deed of the person; only the views hear
   *   of it
   */
  set(patch, { silent = false } = {}) {
    const dragged = patch.start && Object.keys(patch).length === 1;
    if (dragged && this._dragFrom === null) this._dragFrom = this.inputAt;
    const moved = patch.surface && patch.surface.id !== this.state.surface.id && !patch.start;
    this.state = { ...this.state, ...patch };
    const before = this.surface;
    const changed = this._recompute(moved);
    if ("playhead" in patch || "steps" in patch || this.state.playhead === null)
      this.step = this._restingStep();
    if (this.hover && !this.paths[this.hover.racer]) this.hover = null;
    if (this.surface !== before) this.emit("surface");
    if (changed) this.emit("paths");
    this.emit("step");
    if (!silent) this.emit("state");
    this.invalidate();
  }

  /** Replaces the whole state: a lesson, a link, undo. */
  load(state) {
    this.pause();
    this.hover = null;
    this.set(state);
    this.emit("selected");
  }

  /**
   * Offers other measured planes. A start that lies on the new one stays where it is.
   *
   * @param {object[]} slices
   * @param {object} state normalized with them
   */
  offer(slices, state) {
    const shown = this.state.surface.id === "slice";
    this.slices = slices;
    if (shown) {
      this._surfaceKey = null; // the same words for another surface
      this._keys = [];
      this.load(state);
      if (!this.surface.inside(...this.state.start)) {
        this._arrive();
        this.set({});
      }
    }
    this.emit("slices");
  }

  /** Changes one racer. */
  setRacer(index, patch) {
    this.set({ racers: this.state.racers.map((racer, i) => (i === index ? { ...racer, ...patch } : racer)) });
  }

  _restingStep() {
    const { playhead, steps } = this.state;
    return playhead === null || playhead === undefined ? steps : Math.min(playhead, steps);
  }

  /** @returns {boolean} whether any path is another */
  _recompute(moved = false) {
    const surfaceKey = JSON.stringify(this.state.surface);
    if (surfaceKey !== this._surfaceKey) this._makeSurface(surfaceKey, moved);
    const { start, steps, racers } = this.state;
    const race = JSON.stringify([this._madeFrom, start, steps]);
    const known = new Map(this._keys.map((key, i) => [key, i]));
    const [paths, problems] = [this.paths, this.problems];
    const keys = racers.map((racer) => race + pathKey(racer));
    const unchanged = keys.length === this._keys.length && keys.every((key, i) => key === this._keys[i]);
    if (unchanged) return false;
    this.problems = [];
    this.paths = racers.map((racer, i) => {
      const at = known.get(keys[i]);
      if (at === undefined) return this._simulate(racer, i);
      this.problems[i] = problems[at];
      return paths[at];
    });
    this._keys = keys;
    return true;
  }

  /** A formula with an error keeps the last surface that could be drawn. */
  _makeSurface(key, moved) {
    const { id, parameters, formula } = this.state.surface;
    this._surfaceKey = key;
    try {
      this.surface = createSurface(id, parameters ?? {}, { slices: this.slices, formula: formula ?? "" });
      this.surfaceProblem = null;
      this._madeFrom = key;
      if (moved) this._arrive();
    } catch (error) {
      this.surfaceProblem = { message: error.message, position: error.position ?? null };
      this.surface ??= standIn();
    }
  }

  /** On another surface the race begins at its start, and all of it is shown. */
  _arrive() {
    const { box, ...view } = this.state.view;
    this.state = { ...this.state, start: [...this.surface.start], view };
  }

  _simulate(racer, index) {
    const { start, steps } = this.state;
    this.problems[index] = null;
    try {
      return simulate(racer, this.surface, start, steps);
    } catch (error) {
      this.problems[index] = error.message;
      return pointPath(start, this.surface.f(start[0], start[1]));
    }
  }

  /** The racer that the inspector and the phase map are about; a link carries it, counted from 1. */
  get selected() {
    const { view, racers } = this.state;
    return Math.max(0, Math.min((view?.selected?.[0] ?? 1) - 1, racers.length - 1));
  }

  set selected(index) {
    if (index === this.selected || !this.state.racers[index]) return;
    const { selected, ...view } = this.state.view ?? {};
    this.state = { ...this.state, view: index ? { ...view, selected: [index + 1] } : view };
    this.emit("selected");
    this.emit("state");
    this.invalidate();
  }

  setHover(hover) {
    if (hover?.racer === this.hover?.racer && hover?.step === this.hover?.step) return;
    this.hover = hover;
    this.emit("hover");
    this.invalidate();
  }

  setColors(colors) {
    this.colors = colors;
    this.emit("colors");
    this.invalidate();
  }

  /** Moves the playhead; at the end it rests there, also when the number of steps changes later. */
  setStep(step) {
    const { steps } = this.state;
    const at = Math.max(0, Math.min(step, steps));
    if (at === this.step) return;
    this.step = at;
    this.state = { ...this.state, playhead: at >= steps ? null : Math.round(at) };
    this.emit("step");
    this.invalidate();
  }

  play() {
    if (this.playing) return;
    if (this.step >= this.state.steps) this.setStep(0);
    this.playing = true;
    this._lastFrame = null;
    this.emit("playing");
    this.invalidate();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.setStep(Math.round(this.step));
    this.emit("playing");
    this.invalidate();
  }

  _advance(now) {
    const { steps, speed } = this.state;
    const elapsed = now - (this._lastFrame ?? now);
    if (this.reducedMotion) {
      if (this._lastFrame !== null && elapsed < STILL_PAUSE / speed) return;
      this._lastFrame = now;
      this.setStep(Math.round(this.step + steps / STILLS));
    } else {
      this._lastFrame = now;
      this.setStep(this.step + (Math.min(elapsed, 100) / 1000) * (steps / RUN_SECONDS) * speed);
    }
    if (this.step >= steps) this.pause();
  }

  /** Asks for one frame. */
  invalidate() {
    if (this._frame || this._ended) return;
    this._frame = requestAnimationFrame((now) => this._draw(now));
  }

  _draw(now) {
    this._frame = 0;
    const begun = performance.now();
    if (this.playing) this._advance(now);
    if (this.colors) for (const view of this.views) view.draw();
    this._measure("thalweg:frame", begun);
    if (this._dragFrom !== null) this._measure("thalweg:drag", this._dragFrom);
    this._dragFrom = null;
    if (this.playing) this.invalidate();
  }

  _measure(name, start) {
    performance.measure(name, { start, end: performance.now() });
    this._measures += 1;
    if (this._measures < MEASURES) return;
    this._measures = 0;
    for (const kept of ["thalweg:frame", "thalweg:drag"]) performance.clearMeasures(kept);
  }

  destroy() {
    this._ended = true;
    cancelAnimationFrame(this._frame);
    this._listeners.clear();
    this.views.clear();
  }
}
