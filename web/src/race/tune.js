import { Breath } from "./breath.js";
import { outcome } from "./outcome.js";

/** A racer that draws is judged by the median over so many seeds. */
const SEEDS = 3;
/** Runs that a search may take unless told otherwise. */
const RUNS = 48;
const LOWEST = 1e-6;
const HIGHEST = 1e3;

/**
 * Finds the learning rate with the lowest final loss. Every racer gets the same number of gradient
 * evaluations: the budget is cut to whole runs in threes, and a run that ends early is charged in full. Two
 * thirds of the rates are spread evenly on a logarithmic scale, the others halve the gaps beside the best.
 * The racer's own rate is tried first and wins a tie, so that the result is never worse.
 *
 * @param {import("../state/state.js").Racer} racer
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number[]} start
 * @param {number} steps of a run
 * @param {{ evaluations?: number, signal?: AbortSignal, progress?: (done: number) => void }} [options]
 *   `progress` gets a fraction from 0 to 1
 * @returns {Promise<{ lr: number, loss: number, tried: { lr: number, loss: number }[], evaluations: number
 *   }>} `tried` in the order of the rates; the loss is Infinity where a run could not end
 */
export async function tune(racer, surface, start, steps, { evaluations, signal, progress } = {}) {
  signal?.throwIfAborted();
  const breath = new Breath(signal);
  const runs = SEEDS * Math.max(4, Math.floor((evaluations ?? RUNS * steps) / (SEEDS * steps)));
  const seeds = draws(racer, surface) ? SEEDS : 1;
  const rates = runs / seeds;
  const coarse = Math.ceil((rates - 1) * (2 / 3));
  const tried = [];
  let best = null;
  for (let i = 0; i < rates; i++) {
    const lr = i === 0 ? racer.options.lr : i <= coarse ? even(i, coarse) : beside(best, tried);
    const loss = await judged(
      { ...racer, options: { ...racer.options, lr } },
      seeds,
      surface,
      start,
      steps,
      breath,
    );
    tried.push({ lr, loss });
    if (best === null || loss < best.loss) best = tried[i];
    tried.sort((a, b) => a.lr - b.lr);
    progress?.((i + 1) / rates);
  }
  return { ...best, tried, evaluations: runs * steps };
}

const draws = (racer, surface) => racer.noise > 0 || (racer.batch > 0 && racer.batch < surface.samples);

/** Three digits are enough, and what is shown is what was tried. */
const rounded = (lr) => Number(lr.toPrecision(3));

const even = (i, count) => rounded(LOWEST * (HIGHEST / LOWEST) ** ((i - 1) / (count - 1)));

/** The middle of the wider gap beside the best. */
function beside(best, tried) {
  const at = tried.indexOf(best);
  const [below, above] = [tried[at - 1]?.lr ?? best.lr / 2, tried[at + 1]?.lr ?? best.lr * 2];
  const wider = best.lr / below > above / best.lr ? below : above;
  return rounded(Math.sqrt(best.lr * wider));
}

/** The final loss, or its median over seeds. */
async function judged(racer, seeds, surface, start, steps, breath) {
  const losses = [];
  for (let i = 0; i < seeds; i++) {
    losses.push(await outcome({ ...racer, seed: racer.seed + i }, surface, start, steps, breath));
    if (breath.due) await breath.rest();
  }
  return losses.sort((a, b) => a - b)[seeds >> 1];
}
