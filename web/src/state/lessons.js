/**
 * Lessons: each a race that shows one thing. What a text claims, web/test/lessons.test.mjs measures on its
 * state.
 *
 * @typedef {{ id: string, title: string, text: string, link: { href: string, label: string }, state: object
 *   }} Lesson the state is a part of one, which `normalize` makes whole
 */

const sgd = (lr, rest = {}, options = {}) => ({ optimizer: "SGD", options: { lr, ...options }, ...rest });
const racer = (optimizer, lr, rest = {}, options = {}) => ({
  optimizer,
  options: { lr, ...options },
  ...rest,
});
const momentum = (lr, factor, label) => sgd(lr, { label }, { momentum: factor });
const wrap = (name, options) => [{ name, options }];
const shape = (name, options) => ({ name, options });
const NEAR = [-0.4, 2.5, -1.4, 1.3]; // the minimum of the linear regression
const ALONG = [-5.3, 1.3, -2.2, 2.2]; // the ravine
const RESTARTED = { noise: 10, seed: 4 };
const show = (chart, log = true) => ({ stage: "contour", chart, log });

/** @type {Lesson[]} the first is what is shown when nothing was said */
export const lessons = [
  {
    id: "race",
    title: "A race in a narrow valley",
    text:
      "The way along the floor of the valley, which is almost flat and bends, takes most of the time. " +
      "Momentum and Nesterov's method gather speed there; plain gradient descent and RMSprop walk; AdamW " +
      "first sets off the wrong way. Drag the start, or tune the rates: who wins depends on both.",
    link: { href: "https://arxiv.org/abs/1609.04747", label: "Ruder 2016, an overview" },
    state: {
      surface: { id: "valley", parameters: { narrowness: 4 } },
      start: [-3.2, 3.2],
      steps: 120,
      racers: [
        sgd(0.08),
        racer("Momentum", 0.04),
        racer("Nesterov", 0.03),
        racer("RMSprop", 0.1),
        racer("AdamW", 0.6),
      ],
      view: show("loss"),
    },
  },
  {
    id: "ravine",
    title: "Zig-zag in a ravine",
    text:
      "On x² + 50y² a rate above 0.02 diverges along y. Just below it, gradient descent jumps from wall " +
      "to wall, and still needs 60 steps along the gentle x; a rate small enough to go straight is slower" +
      " yet. Turn the condition number down to 2: at the same rates nobody jumps any more.",
    link: { href: "https://web.stanford.edu/~boyd/cvxbook/", label: "Boyd & Vandenberghe 2004" },
    state: {
      surface: { id: "quadratic", parameters: { condition: 50 } },
      start: [-4.5, 1.5],
      steps: 100,
      racers: [sgd(0.0196), sgd(0.004)],
      view: { ...show("loss"), box: ALONG },
    },
  },
  {
    id: "momentum",
    title: "Momentum in a ravine",
    text:
      "Along the ravine all gradients point the same way and add up in the velocity; across it they " +
      "change sign and cancel. To come within 1 % of the start's loss takes 18 steps with momentum, 57 " +
      "without it at the best rate. In a ravine four times as narrow the best settings take twice as many" +
      " with momentum, four times as many without.",
    link: { href: "https://distill.pub/2017/momentum/", label: "Goh 2017" },
    state: {
      surface: { id: "quadratic", parameters: { condition: 50 } },
      start: [-4.5, 1.5],
      steps: 100,
      racers: [momentum(0.012, 0.7, "momentum"), sgd(0.0196, { label: "no momentum" })],
      view: { ...show("loss"), box: ALONG },
    },
  },
  {
    id: "nesterov",
    title: "Nesterov looks ahead",
    text:
      "Both have the same rate and the same momentum of 0.9. Heavy-ball momentum overshoots and swings; " +
      "Nesterov's takes its gradient where the velocity is about to carry it, so that it brakes before " +
      "the wall and comes to rest sooner. Look at one step of each in the inspector.",
    link: { href: "https://proceedings.mlr.press/v28/sutskever13.html", label: "Sutskever et al. 2013" },
    state: {
      surface: { id: "quadratic", parameters: { condition: 10 } },
      start: [-4.5, 3],
      steps: 60,
      racers: [momentum(0.02, 0.9, "heavy ball"), racer("Nesterov", 0.02, {}, { momentum: 0.9 })],
      view: show("loss"),
    },
  },
  {
    id: "saddle",
    title: "Stuck at a saddle",
    text:
      "The start is almost on the ridge of a saddle. Gradient descent runs down to the middle, where the " +
      "gradient is nearly zero, and waits there for 50 steps; momentum, Adam's equal steps or a little " +
      "noise leave it sooner. Move the start exactly onto the ridge, y = 0: without noise nobody ever " +
      "leaves.",
    link: { href: "https://arxiv.org/abs/1406.2572", label: "Dauphin et al. 2014" },
    state: {
      surface: { id: "saddle" },
      start: [1.2, 0.0001],
      steps: 80,
      racers: [
        sgd(0.1, { label: "SGD" }),
        momentum(0.1, 0.9, "Momentum"),
        racer("Adam", 0.05),
        sgd(0.1, { noise: 0.05, label: "with noise" }),
      ],
      view: show("loss", false),
    },
  },
  {
    id: "plateau",
    title: "Lost on a plateau",
    text:
      "A saturated sigmoid is wrong and hardly has a gradient: its length at the start is 0.0006. After " +
      "200 steps gradient descent has hardly moved, and four times the rate changes little. Adam and " +
      "RMSprop divide by the gradient's own size and walk off the plateau as if it were steep.",
    link: { href: "https://proceedings.mlr.press/v9/glorot10a.html", label: "Glorot & Bengio 2010" },
    state: {
      surface: { id: "plateau", parameters: { scale: 4 } },
      start: [-3, -2],
      steps: 200,
      racers: [sgd(0.5), sgd(2), racer("Adam", 0.05), racer("RMSprop", 0.05)],
      view: show("loss"),
    },
  },
  {
    id: "adam",
    title: "Adam's equal steps",
    text:
      "The gradient along y is 50 times that along x, and Adam moves both by almost exactly its rate, 0.1" +
      " a step: its path is a diagonal until the gradient shrinks. So Adam's rate is a distance, whatever" +
      " the scale of the loss. Change the condition number: Adam's first steps stay as they are, and " +
      "gradient descent's do not.",
    link: { href: "https://arxiv.org/abs/1412.6980", label: "Kingma & Ba 2015" },
    state: {
      surface: { id: "quadratic", parameters: { condition: 50 } },
      start: [-4, 4],
      steps: 60,
      racers: [racer("Adam", 0.1), sgd(0.004, { label: "SGD" })],
      view: show("rates"),
    },
  },
  {
    id: "adagrad",
    title: "AdaGrad's stall",
    text:
      "Both run at the best rate found for them. AdaGrad divides by the root of the sum of all squared " +
      "gradients, and the steep first steps stay in that sum for ever: its effective rate only falls. " +
      "RMSprop forgets them, its rate grows again on the flat floor, and it gets far ahead.",
    link: { href: "https://arxiv.org/abs/1212.5701", label: "Zeiler 2012" },
    state: {
      surface: { id: "rosenbrock" },
      start: [-1.5, 2.4],
      steps: 1000,
      racers: [racer("Adagrad", 0.085), racer("RMSprop", 0.0094)],
      view: show("rates"),
    },
  },
  {
    id: "decay",
    title: "L2 in Adam against AdamW",
    text:
      "Both weights should be 2, but x has gradients 100 times those of y. With L2 in the gradient Adam " +
      "ends where loss and penalty balance: the decay hardly touches x and takes most of y. AdamW's decay" +
      " is no part of the gradient and pulls both weights alike: lower it, and both come back towards 2 " +
      "together.",
    link: { href: "https://arxiv.org/abs/1711.05101", label: "Loshchilov & Hutter 2019" },
    state: {
      surface: { id: "formula", parameters: { span: 3 }, formula: "5*(x-2)^2 + 0.05*(y-2)^2" },
      start: [-1, -1],
      steps: 400,
      racers: [
        racer("Adam", 0.1, { label: "Adam" }),
        racer("Adam", 0.1, { label: "Adam with L2" }, { weight_decay: 1 }),
        racer("AdamW", 0.1, {}, { weight_decay: 1 }),
      ],
      view: show("loss", false),
    },
  },
  {
    id: "l1",
    title: "L1 makes zeros, L2 does not",
    text:
      "The loss would have y at 0.15. L2 shrinks it in proportion and never to zero. L1 pulls with a " +
      "constant force, which is stronger than the slope here: as a step of its own (the proximal step) it" +
      " gives exactly 0, as a part of the gradient it hops around 0 for ever.",
    link: { href: "https://arxiv.org/abs/math/0307152", label: "Daubechies et al. 2004" },
    state: {
      surface: { id: "formula", parameters: { span: 2 }, formula: "(x-1.5)^2 + 5*(y-0.15)^2" },
      start: [-1.2, 1.4],
      steps: 120,
      racers: [
        sgd(0.04, { label: "L1 step", transforms: wrap("l1_prox", { l1: 2 }) }),
        sgd(0.04, { label: "L1 gradient", transforms: wrap("l1_penalty", { l1: 2 }) }),
        sgd(0.04, { label: "L2", transforms: wrap("coupled_decay", { weight_decay: 2 }) }),
      ],
      view: { ...show("loss", false), box: [-1.6, 1.6, -0.5, 1.7] },
    },
  },
  {
    id: "clip",
    title: "One exploding gradient",
    text:
      "The minimum lies at the foot of a cliff. A step that ends on the wall meets a gradient 15 times as" +
      " long as any before, and the next step is thrown out of the picture, again and again. Clipped to a" +
      " length of 0.2 the gradient keeps its direction, and the same rate stays at the foot.",
    link: { href: "https://arxiv.org/abs/1211.5063", label: "Pascanu et al. 2013" },
    state: {
      surface: { id: "cliff" },
      start: [-3, 1.6],
      steps: 150,
      racers: [
        sgd(0.5, { label: "as it is" }),
        sgd(0.5, { label: "clipped", transforms: wrap("clip_norm", { max_norm: 0.2 }) }),
      ],
      view: show("loss"),
    },
  },
  {
    id: "warmup",
    title: "Warm-up survives a steep start",
    text:
      "The start is on a steep wall, the minimum in a gentle bowl. A rate of 0.01 diverges in two steps; " +
      "a rate that survives the wall, 0.0005, crawls afterwards. With 20 steps of warm-up the large rate " +
      "begins small, comes down the wall and has its full size where it is needed.",
    link: { href: "https://arxiv.org/abs/1706.02677", label: "Goyal et al. 2017" },
    state: {
      surface: { id: "beale" },
      start: [2, 3],
      steps: 200,
      racers: [
        sgd(0.01, { label: "large rate" }),
        sgd(0.01, { label: "warm-up", warmup: 20 }),
        sgd(0.0005, { label: "small rate" }),
      ],
      view: show("loss"),
    },
  },
  {
    id: "noise",
    title: "The noise of minibatches",
    text:
      "A line through 32 points. The full batch goes straight to the minimum and stays; single samples " +
      "get there as fast, for a 32nd of the work, and then wander around it for as long as the rate stays" +
      " the same. Batches of 8 wander less; a rate that falls ends the wandering.",
    link: { href: "https://arxiv.org/abs/1606.04838", label: "Bottou et al. 2018" },
    state: {
      surface: { id: "linear" },
      start: [0, -1],
      steps: 320,
      racers: [
        sgd(0.1, { label: "full batch" }),
        sgd(0.1, { label: "batch of 8", batch: 8 }),
        sgd(0.1, { label: "batch of 1", batch: 1 }),
        sgd(0.1, { label: "1, cosine", batch: 1, schedule: shape("cosine", { steps: 320 }) }),
      ],
      view: { ...show("loss"), box: NEAR },
    },
  },
  {
    id: "schedules",
    title: "Schedules over 100 epochs",
    text:
      "100 epochs of 4 steps each, all with the same noise of minibatches. A constant rate stays as far " +
      "from the minimum as its noise carries it; step decay every 30 epochs, cosine, and warm-up before " +
      "cosine end a hundred times closer. They differ in how long the rate stays high, which is where the" +
      " distance is covered.",
    link: { href: "https://arxiv.org/abs/1608.03983", label: "Loshchilov & Hutter 2017" },
    state: {
      surface: { id: "linear" },
      start: [0, -1],
      steps: 400,
      racers: [
        sgd(0.1, { label: "constant", batch: 8 }),
        sgd(0.1, { label: "step", batch: 8, schedule: shape("step", { size: 120 }) }),
        sgd(0.1, { label: "cosine", batch: 8, schedule: shape("cosine", { steps: 400 }) }),
        sgd(0.1, { label: "warm-up", batch: 8, warmup: 20, schedule: shape("cosine", { steps: 380 }) }),
        sgd(0.1, { label: "inverse root", batch: 8, schedule: shape("inverse_sqrt", { scale: 20 }) }),
      ],
      view: { ...show("schedule"), box: NEAR },
    },
  },
  {
    id: "restarts",
    title: "Warm restarts",
    text:
      "Both see the same noise. With restarts the rate jumps back up every 100 steps, the noise carries " +
      "the racer out of its minimum, and it cools down in another one: three cycles end in three minima, " +
      "here each lower than the last. Over many seeds they end above one long cosine as often as below " +
      "it; a snapshot ensemble gains by keeping all three.",
    link: { href: "https://arxiv.org/abs/1608.03983", label: "Loshchilov & Hutter 2017" },
    state: {
      surface: { id: "rastrigin", parameters: { ripple: 2 } },
      start: [3.1, -4.1],
      steps: 300,
      racers: [
        sgd(0.02, { ...RESTARTED, label: "one cosine", schedule: shape("cosine", { steps: 300 }) }),
        sgd(0.02, {
          ...RESTARTED,
          label: "three cycles",
          schedule: shape("cosine_restarts", { period: 100 }),
        }),
      ],
      view: { ...show("schedule"), box: [-2, 4.5, -4.9, -0.7] },
    },
  },
  {
    id: "fair",
    title: "One rate for all is no race",
    text:
      "All four have the rate 0.001, and Adam comes in last: it moves 0.001 a step, whatever the slope. " +
      'Press "Tune each learning rate": each gets the best rate that an equal number of gradient ' +
      "evaluations finds, and Adam passes plain gradient descent. Before two optimizers are compared, " +
      "both have to be tuned alike.",
    link: { href: "https://arxiv.org/abs/1910.05446", label: "Choi et al. 2019" },
    state: {
      surface: { id: "rosenbrock" },
      start: [-1.5, 2.4],
      steps: 1000,
      racers: [
        sgd(0.001, { label: "SGD" }),
        momentum(0.001, 0.9, "Momentum"),
        racer("RMSprop", 0.001),
        racer("Adam", 0.001),
      ],
      view: show("loss"),
    },
  },
];
