// The computing of a phase map: in slices, again whenever what it depends on changes, and not for every move
// of a drag.

import { momentumOption, phase } from "../race/phase.js";

const PAUSE = 150; // milliseconds without a change before a map is begun
const BETWEEN = 100; // milliseconds between two pictures of a map that grows
const DECADES = [3, 2]; // of the learning rate, below and above the racer's own
const OTHER = [0, 0.995];

/** What a map depends on: all of the racer but its place in the map and how it is shown. */
function keyOf({ state, selected }) {
  const { hidden, hue, label, ...racer } = state.racers[selected];
  const other = momentumOption(racer.optimizer);
  const options = { ...racer.options, lr: null };
  if (other?.option === "betas") options.betas = options.betas?.[1];
  else if (other) options[other.option] = null;
  return JSON.stringify([{ ...racer, options }, state.surface, state.start, state.steps]);
}

/** Rates from a power of ten to another: those before where they hold the racer's, else some around it. */
export function rates(lr, before) {
  if (before && (!(lr > 0) || (lr >= before[0] && lr <= before[1]))) return before;
  const decade = Math.round(Math.log10(lr > 0 ? lr : 0.01));
  return [Number(`1e${decade - DECADES[0]}`), Number(`1e${decade + DECADES[1]}`)];
}

/** Keeps the map of the selected racer. */
export class PhaseJob {
  constructor(app) {
    Object.assign(this, {
      app,
      map: null,
      done: 1,
      fresh: false,
      problem: null,
      key: null,
      who: null,
      lr: null,
    });
    Object.assign(this, { timer: 0, control: null });
  }

  /** Begin anew if anything changed. */
  follow() {
    const { state, selected } = this.app;
    const { optimizer, options } = state.racers[selected];
    const who = `${selected} ${optimizer}`;
    if (who !== this.who) Object.assign(this, { who, map: null, lr: null });
    this.lr = rates(options.lr, this.lr);
    const key = keyOf(this.app) + this.lr;
    if (key === this.key) return;
    this.stop();
    this.key = key;
    this.fresh = false;
    this.timer = setTimeout(() => this.compute(), this.map ? PAUSE : 0);
  }

  stop() {
    clearTimeout(this.timer);
    this.control?.abort();
    this.control = null;
    this.key = null;
  }

  /** There is no racer any more. */
  end() {
    this.stop();
    Object.assign(this, { map: null, who: null, lr: null });
  }

  async compute() {
    const { app } = this;
    const { racers, start, steps } = app.state;
    const control = (this.control = new AbortController());
    let shown = -Infinity;
    const show = (map, done) => {
      const now = performance.now();
      if (done < 1 && now - shown < BETWEEN) return;
      shown = now;
      Object.assign(this, { map, done, fresh: true, problem: null });
      app.invalidate();
    };
    const size = steps > 1000 ? { columns: 36, rows: 24 } : {};
    try {
      const grid = { ...size, lr: this.lr, other: OTHER };
      await phase(racers[app.selected], app.surface, start, steps, grid, {
        signal: control.signal,
        progress: show,
      });
    } catch (error) {
      if (control.signal.aborted) return;
      this.problem = error.message;
      this.map = null;
      app.invalidate();
    }
  }
}
