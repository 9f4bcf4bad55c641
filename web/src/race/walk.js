import { compose } from "../engine/program.js";
import { schedule } from "../engine/schedule.js";
import { random } from "../surfaces/random.js";

/** A racer this many times the picture's size away has diverged. */
const FAR = 1e6;

/**
 * The gradients a racer sees: of the full loss or of minibatches, which are drawn without replacement an
 * epoch at a time, with Gaussian noise on each coordinate. Racers of one seed see the same batches and the
 * same noise.
 */
class Source {
  constructor({ seed, noise, batch }, surface) {
    this.surface = surface;
    this.noise = noise;
    this.size = batch > 0 && batch < surface.samples ? batch : 0;
    this.order = this.size ? Int32Array.from({ length: surface.samples }, (_, i) => i) : null;
    this.next = Infinity;
    this.batches = this.size ? random(2 * seed) : null;
    this.normals = noise > 0 ? random(2 * seed + 1) : null;
    this.nudge = [0, 0];
    this.gradient = this.size || noise > 0 ? this.sampled.bind(this) : (p, out) => surface.gradient(p, out);
  }

  /** Draws what the coming step will see, however often it asks. */
  draw() {
    if (this.size) {
      if (this.next >= this.order.length) {
        this.batches.shuffle(this.order);
        this.next = 0;
      }
      this.indices = this.order.subarray(this.next, this.next + this.size);
      this.next += this.size;
    }
    if (this.normals) this.nudge = [this.noise * this.normals.normal(), this.noise * this.normals.normal()];
  }

  sampled(p, out) {
    if (this.size) this.surface.batch(p, this.indices, out);
    else this.surface.gradient(p, out);
    out[0] += this.nudge[0];
    out[1] += this.nudge[1];
  }
}

/** A racer on its way, one step at a time. */
export class Walk {
  /**
   * @param {import("../state/state.js").Racer} racer
   * @param {import("../surfaces/index.js").Surface} surface
   * @param {number[]} start
   * @param {number} [reach] how many of the picture's sizes it may be away
   */
  constructor(racer, surface, start, reach = FAR) {
    this.surface = surface;
    this.run = compose(racer.optimizer, racer.options, racer.transforms).begin(Float64Array.from(start));
    this.factor = schedule(racer.warmup, racer.schedule);
    this.base = racer.options.lr;
    this.source = new Source(racer, surface);
    this.gradient = this.source.gradient;
    const [x0, x1, y0, y1] = surface.box;
    this.middle = [(x0 + x1) / 2, (y0 + y1) / 2];
    this.far = reach * Math.max(x1 - x0, y1 - y0);
    this.taken = 0;
    /** Why it cannot go on: null | "not finite" | "diverged" | "outside". */
    this.ended = this.look();
  }

  /** Makes the gradient and the rate those of the coming step. */
  prepare() {
    this.source.draw();
    this.lr = this.base * this.factor(this.taken);
  }

  /** Takes one step. @returns {boolean} whether it can go on */
  advance() {
    this.prepare();
    if (this.run.step(this.gradient, this.lr) === "not finite") {
      // Nesterov's look ahead may already lie where a measured slice has no gradient.
      this.ended = this.surface.measured ? "outside" : "not finite";
    } else {
      this.taken++;
      this.ended = this.look();
    }
    return this.ended === null;
  }

  look() {
    const [x, y] = this.run.p;
    this.loss = this.surface.f(x, y);
    if (!Number.isFinite(x) || !Number.isFinite(y)) return "not finite";
    if (Math.abs(x - this.middle[0]) > this.far || Math.abs(y - this.middle[1]) > this.far) return "diverged";
    if (!this.surface.inside(x, y)) return "outside"; // where a measured slice has no loss
    return Number.isFinite(this.loss) ? null : "not finite";
  }

  /** Whether the point it is at can be drawn. */
  get drawable() {
    return Number.isFinite(this.run.p[0]) && Number.isFinite(this.run.p[1]) && Number.isFinite(this.loss);
  }
}
