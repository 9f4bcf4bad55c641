import { short } from "./numbers.js";

/** Losses that agree in so many digits are level. */
const DIGITS = 5;

/**
 * Where the racers are at a step: the loss of each and its rank, lowest first. Who ended early comes last.
 *
 * @param {{ steps: number, loss: Float64Array, ended: null | { step: number, why: string } }[]} paths
 * @param {boolean[]} hidden those that are not ranked
 * @param {number} step
 * @returns {{ loss: number, rank: number | null, out: boolean }[]}
 */
export function standings(paths, hidden, step) {
  const at = paths.map((path) => {
    const whole = Math.round(step);
    const index = Math.min(whole, path.steps);
    const out = path.ended !== null && whole >= path.ended.step;
    return {
      loss: path.loss[index],
      out,
      worth: out || Number.isNaN(path.loss[index]) ? Infinity : Number(path.loss[index].toPrecision(DIGITS)),
    };
  });
  return at.map(({ loss, out, worth }, i) => {
    const better = at.filter((other, k) => !hidden[k] && other.worth < worth).length;
    return { loss, out, rank: hidden[i] ? null : better + 1 };
  });
}

/**
 * The losses of racers in as few digits as tell apart those of different rank.
 *
 * @param {{ loss: number, rank: number | null, out: boolean }[]} all
 * @returns {string[]}
 */
export function lossTexts(all) {
  const alike = (one, digits) =>
    one.rank !== null &&
    all.some(
      ({ loss, rank, out }) =>
        !out && rank !== null && rank !== one.rank && short(loss, digits) === short(one.loss, digits),
    );
  return all.map((one) => {
    if (one.out) return "out";
    const plain = Math.abs(one.loss) >= 1e-3 && Math.abs(one.loss) < 1e4;
    let [digits, most] = plain ? [3, DIGITS] : [2, 3]; // a power of ten takes the room of the others
    while (digits < most && alike(one, digits)) digits += 1;
    return short(one.loss, digits);
  });
}

/**
 * What went wrong with a racer, in a sentence, or null.
 *
 * @param {{ evaluations: number, ended: null | { step: number, why: string } }} path
 * @param {string | null | undefined} problem why it could not run at all
 * @returns {{ text: string, why: "problem" | "start" | "diverged" | "not finite" | "outside" } | null}
 *   "start": it could not even begin where the start is
 */
export function mishap(path, problem) {
  if (problem) return { text: sentence(problem), why: "problem" };
  if (!path.ended) return null;
  const { step, why } = path.ended;
  if (path.evaluations === 0) return { text: STARTS[why], why: "start" };
  // the first step may lead to where nothing can be drawn
  return { text: MISHAPS[why](Math.max(step, 1)), why };
}

const MISHAPS = {
  diverged: (step) => `Diverged at step ${step}. A smaller rate or clipping helps.`,
  "not finite": (step) => `The loss is not a number from step ${step} on.`,
  outside: (step) => `Left what was measured at step ${step}.`,
};

const STARTS = {
  diverged: "The start is so far out that its loss cannot be followed.",
  "not finite": "The loss is not a number at the start.",
  outside: "The start lies outside what was measured.",
};

const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);
