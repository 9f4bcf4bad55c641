/** Changes closer together than this belong to one deed: a drag, a slider. */
const TOGETHER = 500;
const KEPT = 200;

/** What undo brings back: the race, not where the playhead stands or which chart is shown. */
const deed = ({ surface, start, steps, racers, lesson }) =>
  JSON.stringify([surface, start, steps, racers, lesson]);

/** The states a person went through. */
export class History {
  /** @param {object} state the first one */
  constructor(state) {
    this.past = [];
    this.future = [];
    this.now = state;
    this.at = -Infinity;
  }

  /**
   * Takes note of a state.
   *
   * @param {object} state
   * @param {number} time in milliseconds
   */
  record(state, time) {
    if (deed(state) === deed(this.now)) return;
    if (time - this.at > TOGETHER) this.past = [...this.past, this.now].slice(-KEPT);
    this.at = time;
    this.now = state;
    this.future = [];
  }

  /** @returns {object | null} the state before the last deed */
  undo() {
    return this._move(this.past, this.future);
  }

  /** @returns {object | null} the state that undo left */
  redo() {
    return this._move(this.future, this.past);
  }

  _move(from, to) {
    if (!from.length) return null;
    to.push(this.now);
    this.now = from.pop();
    this.at = -Infinity;
    return this.now;
  }
}
