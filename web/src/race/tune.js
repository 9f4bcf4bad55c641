import { Breath } from "./breath.js";
import { outcome } from "./outcome.js";

/** Runs that a search may take unless told otherwise, and that it takes at least. */
const RUNS = 120;
const FEWEST = 12;
/** Shares of the runs: for rates that are spread evenly, and for the second and third runs of the best. */
const SWEPT = 0.5;
const AGAIN = 0.3;
const LOWEST = 1e-6;
const HIGHEST = 1e3;
/** How far apart the rates are at which a racer without noise is judged. */
const NEARBY = [1, 0.99, 1.01];
/** Who goes further away than this, in sizes of the picture, has not run well, wherever it ends. */
const REACH = 3;

/**
 * Finds the learning rate with the lowest final loss. Every racer gets the same number of gradient
 * evaluations, and a run that ends early is charged in full. Half of the runs are at rates spread evenly on a
 * logarithmic scale; then the gaps beside the two lowest valleys are halved. The best of these rates, and the
 * racer's own, are judged by three runs: a racer that draws by the median over three seeds; one that does not by
 * the worst of three rates a hundredth apart, since a rate that succeeds by itself alone is luck. A run that
 * leaves the picture far behind has failed. A rate whose run ends higher than that at the own one is not taken.
 *
 * @param {import("../state/state.js").Racer} racer
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number[]} start
 * @param {number} steps of a run
 * @param {{ evaluations?: number, signal?: AbortSignal, progress?: (done: number) => void }} [options]
 *   `progress` gets a fraction from 0 to 1
 * @returns {Promise<{ lr: number, loss: number, judged: { lr: number, loss: number }[], evaluations: number
 *   }>} `loss` of the racer's run at this rate; `judged` in the order of the rates, with the loss each was
 *   judged by, Infinity where a run could not end
 */
export async function tune(racer, surface, start, steps, { evaluations, signal, progress } = {}) {
  signal?.throwIfAborted();
  const breath = new Breath(signal);
  const runs = Math.max(FEWEST, Math.floor((evaluations ?? RUNS * steps) / steps));
  const noisy = draws(racer, surface);
  let done = 0;
  const ran = async (rate) => {
    const one = varied(racer, rate, noisy);
    rate.losses.push(await outcome(one, surface, start, steps, breath, REACH));
    progress?.(++done / runs);
    return rate;
  };
  const own = { lr: racer.options.lr, losses: [] };
  const finalists = Math.round((AGAIN / 2) * runs);
  const judged = await searched(own, runs - 2 * finalists, Math.round(SWEPT * runs), ran);
  judged.splice(finalists);
  for (const rate of [...judged, ...judged]) await ran(rate);
  const worth = ({ losses }) => [...losses].sort((a, b) => a - b)[noisy ? 1 : 2];
  const better = (one, best) => one.losses[0] <= own.losses[0] && worth(one) < worth(best);
  const best = judged.reduce((found, one) => (better(one, found) ? one : found));
  return {
    lr: best.lr,
    loss: best.losses[0],
    judged: judged.map((rate) => ({ lr: rate.lr, loss: worth(rate) })).sort((a, b) => a.lr - b.lr),
    evaluations: runs * steps,
  };
}

/** Runs the own rate and others once; the own one comes first, then the lowest. */
async function searched(own, count, swept, ran) {
  const tried = [await ran(own)];
  for (let i = 1; i < count; i++) {
    const lr = i <= swept ? even(i, swept) : beside(tried, i % 2);
    tried.push(await ran({ lr, losses: [] }));
    tried.sort((a, b) => a.lr - b.lr);
  }
  return [own, ...tried.filter((rate) => rate !== own).sort(byLoss)];
}

/** By the loss of the first run; Infinity less Infinity is no number. */
const byLoss = ({ losses: [a] }, { losses: [b] }) => (a === b ? 0 : a - b);

const draws = (racer, surface) => racer.noise > 0 || (racer.batch > 0 && racer.batch < surface.samples);

/** The racer at a rate, as it runs for the first, second or third time. */
function varied(racer, { lr, losses: { length: turn } }, noisy) {
  const rate = noisy ? lr : lr * NEARBY[turn];
  return { ...racer, seed: noisy ? racer.seed + turn : racer.seed, options: { ...racer.options, lr: rate } };
}

/** Three digits are enough, and what is shown is what was tried. */
const rounded = (lr) => Number(lr.toPrecision(3));

const even = (i, count) => rounded(LOWEST * (HIGHEST / LOWEST) ** ((i - 1) / (count - 1)));

/** The middle of the wider gap beside the lowest rate or, since that may be low by luck, the next valley's. */
function beside(tried, turn) {
  const loss = (i) => tried[i]?.losses[0] ?? Infinity;
  const lower = (rate, i) => loss(i) <= loss(i - 1) && loss(i) <= loss(i + 1) && loss(i) < Infinity;
  const valleys = tried.filter(lower).sort(byLoss);
  const best = valleys[turn] ?? valleys[0] ?? tried[0];
  const at = tried.indexOf(best);
  const [below, above] = [tried[at - 1]?.lr ?? best.lr / 2, tried[at + 1]?.lr ?? best.lr * 2];
  return rounded(Math.sqrt(best.lr * (best.lr / below > above / best.lr ? below : above)));
}
