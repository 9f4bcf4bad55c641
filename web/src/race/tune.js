import { Breath } from "./breath.js";
import { outcome } from "./outcome.js";

/** Every rate is judged by so many runs. */
const JUDGES = 3;
/** Runs that a search may take unless told otherwise. */
const RUNS = 120;
const LOWEST = 1e-6;
const HIGHEST = 1e3;
/** How far apart the rates are at which a racer without noise is judged. */
const NEARBY = [1, 0.99, 1.01];
/** Who goes further away than this, in sizes of the picture, has not run well, wherever it ends. */
const REACH = 3;

/**
 * Finds the learning rate with the lowest final loss. Every racer gets the same number of gradient
 * evaluations: each rate is judged by three runs, and a run that ends early is charged in full. A racer that
 * draws is judged by the median over three seeds; one that does not by the worst of three rates a hundredth
 * apart, since a rate that succeeds by itself alone is luck. A run that leaves the picture far behind has
 * failed. Two thirds of the rates are spread evenly on a logarithmic scale, the others halve the gaps beside
 * the best. The racer's own rate is tried first; one whose run ends higher is not taken.
 *
 * @param {import("../state/state.js").Racer} racer
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number[]} start
 * @param {number} steps of a run
 * @param {{ evaluations?: number, signal?: AbortSignal, progress?: (done: number) => void }} [options]
 *   `progress` gets a fraction from 0 to 1
 * @returns {Promise<{ lr: number, loss: number, tried: { lr: number, loss: number }[], evaluations: number
 *   }>} `loss` of the racer's run at this rate; `tried` in the order of the rates, with the loss each was
 *   judged by, Infinity where a run could not end
 */
export async function tune(racer, surface, start, steps, { evaluations, signal, progress } = {}) {
  signal?.throwIfAborted();
  const breath = new Breath(signal);
  const rates = Math.max(4, Math.floor((evaluations ?? RUNS * steps) / (JUDGES * steps)));
  const coarse = Math.ceil((rates - 1) * (2 / 3));
  const judge = (lr) =>
    judged(racer, lr, draws(racer, surface), (one) => outcome(one, surface, start, steps, breath, REACH));
  const own = await judge(racer.options.lr);
  const tried = [own];
  let best = own;
  for (let i = 1; i < rates; i++) {
    progress?.(i / rates);
    const one = await judge(i <= coarse ? even(i, coarse) : beside(best, tried));
    tried.push(one);
    if (one.loss < best.loss && one.run <= own.run) best = one;
    tried.sort((a, b) => a.lr - b.lr);
  }
  progress?.(1);
  return {
    lr: best.lr,
    loss: best.run,
    tried: tried.map(({ lr, loss }) => ({ lr, loss })),
    evaluations: JUDGES * rates * steps,
  };
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

/** A rate with the loss of the racer's own run at it, and the loss it is judged by. */
async function judged(racer, lr, noisy, run) {
  const at = (rate, seed) => run({ ...racer, seed, options: { ...racer.options, lr: rate } });
  const losses = [];
  for (let i = 0; i < JUDGES; i++)
    losses.push(await (noisy ? at(lr, racer.seed + i) : at(lr * NEARBY[i], racer.seed)));
  const [, median, worst] = [...losses].sort((a, b) => a - b);
  return { lr, run: losses[0], loss: noisy ? median : worst };
}
