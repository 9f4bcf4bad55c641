// Printed from Python by `python -m thalweg.playground.printed`; do not edit.

import { FloatingPointError, MISSING, UserError, any, call, check_options, check_value, construct, contains, divide, divmod, fields, float, floordiv, general, index, isinf, join, ldexp, map, mod, pairwise, pick, power, record, repr, root, sum, text, transform, truth, type } from "../engine/python.js";

const ascend = {
  name: "ascend",
  doc: "Maximize: follow the gradient upwards.",
  tensors: ["p", "g"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: {},
  constants(_s, _c) {
  },
  run(_n, _tensors, _c, _out) {
    const _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i];
      _out[_i] = -g;
    }
  },
  lines: [
    { name: null, tokens: ["-", ["g"]], value: ({ g }) => -g },
  ],
};

const descend = {
  name: "descend",
  doc: "The one place where a parameter moves: p - lr * step.",
  tensors: ["p", "step"],
  scalars: ["lr"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 1,
  sums: {},
  constants(_s, _c) {
    const lr = _s[0];
    const _0 = lr;
    _c[0] = _0;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0];
    const _array0 = _tensors[0], _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], step = _array1[_i];
      _out[_i] = p - _0 * step;
    }
  },
  lines: [
    { name: null, tokens: [["p"], " - ", ["lr"], " * ", ["step"]], value: ({ lr, p, step }) => p - lr * step },
  ],
};

const keep = {
  name: "keep",
  doc: "For rules that return the new parameter themselves.",
  tensors: ["p", "step"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: {},
  constants(_s, _c) {
  },
  run(_n, _tensors, _c, _out) {
    const _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let step = _array1[_i];
      _out[_i] = step;
    }
  },
  lines: [
    { name: null, tokens: [["step"]], value: ({ step }) => step },
  ],
};

const adadelta = {
  name: "adadelta",
  doc: "Zeiler 2012, algorithm 1.",
  tensors: ["p", "g", "s", "d"],
  scalars: ["rho", "eps"],
  states: { s: "square_avg", d: "acc_delta" },
  buffers: ["square_avg", "acc_delta"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 3,
  sums: {},
  constants(_s, _c) {
    const rho = _s[0], eps = _s[1];
    const _0 = rho;
    const _1 = 1 - rho;
    const _2 = eps;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], s = _array2[_i], d = _array3[_i], step;
      s = _0 * s + _1 * g * g;
      step = Math.sqrt(d + _2) / Math.sqrt(s + _2) * g;
      d = _0 * d + _1 * step * step;
      _out[_i] = step;
      _array2[_i] = s;
      _array3[_i] = d;
    }
  },
  lines: [
    { name: "s", tokens: [["rho"], " * ", ["s"], " + (1 - ", ["rho"], ") * ", ["g"], " * ", ["g"]], value: ({ g, rho, s }) => rho * s + (1 - rho) * g * g },
    { name: "step", tokens: ["sqrt(", ["d"], " + ", ["eps"], ") / sqrt(", ["s"], " + ", ["eps"], ") * ", ["g"]], value: ({ d, eps, g, s }) => Math.sqrt(d + eps) / Math.sqrt(s + eps) * g },
    { name: "d", tokens: [["rho"], " * ", ["d"], " + (1 - ", ["rho"], ") * ", ["step"], " * ", ["step"]], value: ({ d, rho, step }) => rho * d + (1 - rho) * step * step },
    { name: null, tokens: [["step"]], value: ({ step }) => step },
  ],
};

const coupled = {
  name: "coupled",
  doc: "The gradient of the loss plus the penalty weight_decay / 2 * |p|^2.",
  tensors: ["p", "g"],
  scalars: ["weight_decay"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 1,
  sums: {},
  constants(_s, _c) {
    const weight_decay = _s[0];
    const _0 = weight_decay;
    _c[0] = _0;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0];
    const _array0 = _tensors[0], _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], g = _array1[_i];
      _out[_i] = g + _0 * p;
    }
  },
  lines: [
    { name: null, tokens: [["g"], " + ", ["weight_decay"], " * ", ["p"]], value: ({ g, p, weight_decay }) => g + weight_decay * p },
  ],
};

const COUPLED = transform(coupled, { on: "grad" });

const adagrad = {
  name: "adagrad",
  doc: "Duchi, Hazan & Singer 2011, the diagonal form.",
  tensors: ["p", "g", "s"],
  scalars: ["t", "lr_decay", "eps"],
  states: { s: "sum" },
  buffers: ["sum"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 2,
  sums: {},
  constants(_s, _c) {
    const t = _s[0], lr_decay = _s[1], eps = _s[2];
    const _0 = divide(1, 1 + (t - 1) * lr_decay);
    const _1 = eps;
    _c[0] = _0;
    _c[1] = _1;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1];
    const _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], s = _array2[_i];
      s = s + g * g;
      _out[_i] = _0 * g / (Math.sqrt(s) + _1);
      _array2[_i] = s;
    }
  },
  lines: [
    { name: "s", tokens: [["s"], " + ", ["g"], " * ", ["g"]], value: ({ g, s }) => s + g * g },
    { name: null, tokens: ["1 / (1 + (", ["t"], " - 1) * ", ["lr_decay"], ") * ", ["g"], " / (sqrt(", ["s"], ") + ", ["eps"], ")"], value: ({ eps, g, lr_decay, s, t }) => 1 / (1 + (t - 1) * lr_decay) * g / (Math.sqrt(s) + eps) },
  ],
};

const decoupled = {
  name: "decoupled",
  doc: "A step towards zero beside the algorithm's own.",
  tensors: ["p", "step"],
  scalars: ["weight_decay"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 1,
  sums: {},
  constants(_s, _c) {
    const weight_decay = _s[0];
    const _0 = weight_decay;
    _c[0] = _0;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0];
    const _array0 = _tensors[0], _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], step = _array1[_i];
      _out[_i] = step + _0 * p;
    }
  },
  lines: [
    { name: null, tokens: [["step"], " + ", ["weight_decay"], " * ", ["p"]], value: ({ p, step, weight_decay }) => step + weight_decay * p },
  ],
};

const DECOUPLED = transform(decoupled, { on: "step" });

const amsgrad = {
  name: "amsgrad",
  doc: "Reddi, Kale & Kumar 2018, algorithm 2, with Adam's bias corrections as in torch.",
  tensors: ["p", "g", "m", "v", "v_max"],
  scalars: ["t", "beta1", "beta2", "eps"],
  states: { m: "exp_avg", v: "exp_avg_sq", v_max: "max_exp_avg_sq" },
  buffers: ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 7,
  sums: {},
  constants(_s, _c) {
    const t = _s[0], beta1 = _s[1], beta2 = _s[2], eps = _s[3];
    const _0 = beta1;
    const _1 = 1 - beta1;
    const _2 = beta2;
    const _3 = 1 - beta2;
    const _4 = 1 - power(beta1, t);
    const _5 = 1 - power(beta2, t);
    const _6 = eps;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
    _c[5] = _5;
    _c[6] = _6;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4], _5 = _c[5], _6 = _c[6];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3], _array4 = _tensors[4];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], m = _array2[_i], v = _array3[_i], v_max = _array4[_i];
      m = _0 * m + _1 * g;
      v = _2 * v + _3 * g * g;
      v_max = Math.max(v_max, v);
      _out[_i] = m / _4 / (Math.sqrt(v_max / _5) + _6);
      _array2[_i] = m;
      _array3[_i] = v;
      _array4[_i] = v_max;
    }
  },
  lines: [
    { name: "m", tokens: [["beta1"], " * ", ["m"], " + (1 - ", ["beta1"], ") * ", ["g"]], value: ({ beta1, g, m }) => beta1 * m + (1 - beta1) * g },
    { name: "v", tokens: [["beta2"], " * ", ["v"], " + (1 - ", ["beta2"], ") * ", ["g"], " * ", ["g"]], value: ({ beta2, g, v }) => beta2 * v + (1 - beta2) * g * g },
    { name: "v_max", tokens: ["maximum(", ["v_max"], ", ", ["v"], ")"], value: ({ v, v_max }) => Math.max(v_max, v) },
    { name: null, tokens: [["m"], " / (1 - ", ["beta1"], " ** ", ["t"], ") / (sqrt(", ["v_max"], " / (1 - ", ["beta2"], " ** ", ["t"], ")) + ", ["eps"], ")"], value: ({ beta1, beta2, eps, m, t, v_max }) => m / (1 - Math.pow(beta1, t)) / (Math.sqrt(v_max / (1 - Math.pow(beta2, t))) + eps) },
  ],
};

const adam = {
  name: "adam",
  doc: "Kingma & Ba 2015, algorithm 1.",
  tensors: ["p", "g", "m", "v"],
  scalars: ["t", "beta1", "beta2", "eps"],
  states: { m: "exp_avg", v: "exp_avg_sq" },
  buffers: ["exp_avg", "exp_avg_sq"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 7,
  sums: {},
  constants(_s, _c) {
    const t = _s[0], beta1 = _s[1], beta2 = _s[2], eps = _s[3];
    const _0 = beta1;
    const _1 = 1 - beta1;
    const _2 = beta2;
    const _3 = 1 - beta2;
    const _4 = 1 - power(beta1, t);
    const _5 = 1 - power(beta2, t);
    const _6 = eps;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
    _c[5] = _5;
    _c[6] = _6;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4], _5 = _c[5], _6 = _c[6];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], m = _array2[_i], v = _array3[_i];
      m = _0 * m + _1 * g;
      v = _2 * v + _3 * g * g;
      _out[_i] = m / _4 / (Math.sqrt(v / _5) + _6);
      _array2[_i] = m;
      _array3[_i] = v;
    }
  },
  lines: [
    { name: "m", tokens: [["beta1"], " * ", ["m"], " + (1 - ", ["beta1"], ") * ", ["g"]], value: ({ beta1, g, m }) => beta1 * m + (1 - beta1) * g },
    { name: "v", tokens: [["beta2"], " * ", ["v"], " + (1 - ", ["beta2"], ") * ", ["g"], " * ", ["g"]], value: ({ beta2, g, v }) => beta2 * v + (1 - beta2) * g * g },
    { name: null, tokens: [["m"], " / (1 - ", ["beta1"], " ** ", ["t"], ") / (sqrt(", ["v"], " / (1 - ", ["beta2"], " ** ", ["t"], ")) + ", ["eps"], ")"], value: ({ beta1, beta2, eps, m, t, v }) => m / (1 - Math.pow(beta1, t)) / (Math.sqrt(v / (1 - Math.pow(beta2, t))) + eps) },
  ],
};

const adamax = {
  name: "adamax",
  doc: "Kingma & Ba 2015, algorithm 2, with torch's eps beside the gradient's magnitude.",
  tensors: ["p", "g", "m", "u"],
  scalars: ["t", "beta1", "beta2", "eps"],
  states: { m: "exp_avg", u: "exp_inf" },
  buffers: ["exp_avg", "exp_inf"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 5,
  sums: {},
  constants(_s, _c) {
    const t = _s[0], beta1 = _s[1], beta2 = _s[2], eps = _s[3];
    const _0 = beta1;
    const _1 = 1 - beta1;
    const _2 = beta2;
    const _3 = eps;
    const _4 = 1 - power(beta1, t);
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], m = _array2[_i], u = _array3[_i];
      m = _0 * m + _1 * g;
      u = Math.max(_2 * u, Math.abs(g) + _3);
      _out[_i] = m / _4 / u;
      _array2[_i] = m;
      _array3[_i] = u;
    }
  },
  lines: [
    { name: "m", tokens: [["beta1"], " * ", ["m"], " + (1 - ", ["beta1"], ") * ", ["g"]], value: ({ beta1, g, m }) => beta1 * m + (1 - beta1) * g },
    { name: "u", tokens: ["maximum(", ["beta2"], " * ", ["u"], ", absolute(", ["g"], ") + ", ["eps"], ")"], value: ({ beta2, eps, g, u }) => Math.max(beta2 * u, Math.abs(g) + eps) },
    { name: null, tokens: [["m"], " / (1 - ", ["beta1"], " ** ", ["t"], ") / ", ["u"]], value: ({ beta1, m, t, u }) => m / (1 - Math.pow(beta1, t)) / u },
  ],
};

const agreement_with_adam = {
  name: "agreement_with_adam",
  doc: "Summed over a group: the gradient along the last step of Adam, made again from what that step left.",
  tensors: ["p", "g", "m", "v"],
  scalars: ["t", "beta1", "beta2", "eps"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 5,
  sums: {},
  constants(_s, _c) {
    const t = _s[0], beta1 = _s[1], beta2 = _s[2], eps = _s[3];
    const _0 = 1 - power(beta1, t - 1);
    const _1 = 1 - power(beta2, t - 1);
    const _2 = t > 1;
    const _3 = eps;
    const _4 = 0;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
  },
  total(_n, _tensors, _c) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    let _sum = 0;
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], m = _array2[_i], v = _array3[_i], m_hat, v_hat;
      m_hat = m / _0;
      v_hat = v / _1;
      _sum += _2 ? g * m_hat / (Math.sqrt(v_hat) + _3) : _4;
    }
    return _sum;
  },
  lines: [
    { name: "m_hat", tokens: [["m"], " / (1 - ", ["beta1"], " ** (", ["t"], " - 1))"], value: ({ beta1, m, t }) => m / (1 - Math.pow(beta1, t - 1)) },
    { name: "v_hat", tokens: [["v"], " / (1 - ", ["beta2"], " ** (", ["t"], " - 1))"], value: ({ beta2, t, v }) => v / (1 - Math.pow(beta2, t - 1)) },
    { name: null, tokens: ["where(", ["t"], " > 1, ", ["g"], " * ", ["m_hat"], " / (sqrt(", ["v_hat"], ") + ", ["eps"], "), 0)"], value: ({ eps, g, m_hat, t, v_hat }) => (t > 1) ? g * m_hat / (Math.sqrt(v_hat) + eps) : 0 },
  ],
};

const adam_hd = {
  name: "adam_hd",
  doc: "Baydin et al. 2018, Adam-HD.",
  tensors: ["p", "g", "m", "v"],
  scalars: ["t", "lr", "hypergrad_lr", "beta1", "beta2", "eps", "shift", "h"],
  states: { m: "exp_avg", v: "exp_avg_sq", shift: "lr_shift" },
  buffers: ["exp_avg", "exp_avg_sq"],
  numbers: ["lr_shift"],
  newNumbers: [8],
  over: "group",
  moves: true,
  size: 9,
  sums: { h: agreement_with_adam },
  constants(_s, _c) {
    const t = _s[0], lr = _s[1], hypergrad_lr = _s[2], beta1 = _s[3], beta2 = _s[4], eps = _s[5], shift = _s[6], h = _s[7];
    const moved = shift + hypergrad_lr * h;
    const _0 = beta1;
    const _1 = 1 - beta1;
    const _2 = beta2;
    const _3 = 1 - beta2;
    const _4 = lr + moved;
    const _5 = 1 - power(beta1, t);
    const _6 = 1 - power(beta2, t);
    const _7 = eps;
    const _8 = moved;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
    _c[5] = _5;
    _c[6] = _6;
    _c[7] = _7;
    _c[8] = _8;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4], _5 = _c[5], _6 = _c[6], _7 = _c[7], _8 = _c[8];
    const _array0 = _tensors[0], _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], g = _array1[_i], m = _array2[_i], v = _array3[_i];
      m = _0 * m + _1 * g;
      v = _2 * v + _3 * g * g;
      _out[_i] = p - _4 * (m / _5) / (Math.sqrt(v / _6) + _7);
      _array2[_i] = m;
      _array3[_i] = v;
    }
  },
  lines: [
    { name: "moved", tokens: [["shift"], " + ", ["hypergrad_lr"], " * ", ["h"]], value: ({ h, hypergrad_lr, shift }) => shift + hypergrad_lr * h },
    { name: "m", tokens: [["beta1"], " * ", ["m"], " + (1 - ", ["beta1"], ") * ", ["g"]], value: ({ beta1, g, m }) => beta1 * m + (1 - beta1) * g },
    { name: "v", tokens: [["beta2"], " * ", ["v"], " + (1 - ", ["beta2"], ") * ", ["g"], " * ", ["g"]], value: ({ beta2, g, v }) => beta2 * v + (1 - beta2) * g * g },
    { name: null, tokens: [["p"], " - (", ["lr"], " + ", ["moved"], ") * (", ["m"], " / (1 - ", ["beta1"], " ** ", ["t"], ")) / (sqrt(", ["v"], " / (1 - ", ["beta2"], " ** ", ["t"], ")) + ", ["eps"], ")"], value: ({ beta1, beta2, eps, lr, m, moved, p, t, v }) => p - (lr + moved) * (m / (1 - Math.pow(beta1, t))) / (Math.sqrt(v / (1 - Math.pow(beta2, t))) + eps) },
    { name: "shift", tokens: [["moved"]], value: ({ moved }) => moved },
  ],
};

const asgd = {
  name: "asgd",
  doc: "Polyak & Juditsky 1992 with the rates of Bottou's SGD; those of a step are set by the step before.",
  tensors: ["p", "g", "average"],
  scalars: ["t", "lr", "lambd", "alpha", "t0", "eta", "mu"],
  states: { average: "ax", eta: "eta", mu: "mu" },
  buffers: ["ax"],
  numbers: ["eta", "mu"],
  newNumbers: [4, 5],
  over: "all",
  moves: true,
  size: 6,
  sums: {},
  constants(_s, _c) {
    const t = _s[0], lr = _s[1], lambd = _s[2], alpha = _s[3], t0 = _s[4], eta = _s[5], mu = _s[6];
    const _0 = 1 - lambd * eta;
    const _1 = eta;
    const _2 = 1 - mu;
    const _3 = mu;
    const _4 = divide(lr, power(1 + lambd * lr * t, alpha));
    const _5 = divide(1, Math.max(1, t - t0));
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
    _c[5] = _5;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4], _5 = _c[5];
    const _array0 = _tensors[0], _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], g = _array1[_i], average = _array2[_i], moved;
      moved = _0 * p - _1 * g;
      average = _2 * average + _3 * moved;
      _out[_i] = moved;
      _array2[_i] = average;
    }
  },
  lines: [
    { name: "moved", tokens: ["(1 - ", ["lambd"], " * ", ["eta"], ") * ", ["p"], " - ", ["eta"], " * ", ["g"]], value: ({ eta, g, lambd, p }) => (1 - lambd * eta) * p - eta * g },
    { name: "average", tokens: ["(1 - ", ["mu"], ") * ", ["average"], " + ", ["mu"], " * ", ["moved"]], value: ({ average, moved, mu }) => (1 - mu) * average + mu * moved },
    { name: null, tokens: [["moved"]], value: ({ moved }) => moved },
    { name: "eta", tokens: [["lr"], " / (1 + ", ["lambd"], " * ", ["lr"], " * ", ["t"], ") ** ", ["alpha"]], value: ({ alpha, lambd, lr, t }) => lr / Math.pow(1 + lambd * lr * t, alpha) },
    { name: "mu", tokens: ["1 / maximum(1, ", ["t"], " - ", ["t0"], ")"], value: ({ t, t0 }) => 1 / Math.max(1, t - t0) },
  ],
};

function check_order(owner, name, pair) {
  let smallest, largest;
  [smallest, largest] = pair;
  if (smallest > largest) {
    throw new UserError(`${text(owner)}: ${text(name)} is (smallest, largest), got ${repr(pair)}`);
  }
}

const parameter_squared = {
  name: "parameter_squared",
  doc: "Summed over a tensor: the squared norm of the parameter.",
  tensors: ["p"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: {},
  constants(_s, _c) {
  },
  total(_n, _tensors, _c) {
    const _array0 = _tensors[0];
    let _sum = 0;
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i];
      _sum += p * p;
    }
    return _sum;
  },
  lines: [
    { name: null, tokens: [["p"], " * ", ["p"]], value: ({ p }) => p * p },
  ],
};

const step_squared = {
  name: "step_squared",
  doc: "Summed over a tensor: the squared norm of the step.",
  tensors: ["p", "step"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: {},
  constants(_s, _c) {
  },
  total(_n, _tensors, _c) {
    const _array1 = _tensors[1];
    let _sum = 0;
    for (let _i = 0; _i < _n; _i++) {
      let step = _array1[_i];
      _sum += step * step;
    }
    return _sum;
  },
  lines: [
    { name: null, tokens: [["step"], " * ", ["step"]], value: ({ step }) => step * step },
  ],
};

const trusted = {
  name: "trusted",
  doc: "The step at the length of its parameter; as it is where one of the two has no length.",
  tensors: ["p", "step"],
  scalars: ["p2", "s2", "bound1", "bound2"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "tensor",
  moves: false,
  size: 1,
  sums: { p2: parameter_squared, s2: step_squared },
  constants(_s, _c) {
    const p2 = _s[0], s2 = _s[1], bound1 = _s[2], bound2 = _s[3];
    const length = Math.min(Math.max(root(p2), bound1), bound2);
    const both = Math.min(p2, s2);
    const _0 = divide(pick(both > 0, length, 1), pick(both > 0, root(s2), 1));
    _c[0] = _0;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0];
    const _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let step = _array1[_i];
      _out[_i] = _0 * step;
    }
  },
  lines: [
    { name: "length", tokens: ["minimum(maximum(sqrt(", ["p2"], "), ", ["bound1"], "), ", ["bound2"], ")"], value: ({ bound1, bound2, p2 }) => Math.min(Math.max(Math.sqrt(p2), bound1), bound2) },
    { name: "both", tokens: ["minimum(", ["p2"], ", ", ["s2"], ")"], value: ({ p2, s2 }) => Math.min(p2, s2) },
    { name: null, tokens: ["where(", ["both"], " > 0, ", ["length"], ", 1) / where(", ["both"], " > 0, sqrt(", ["s2"], "), 1) * ", ["step"]], value: ({ both, length, s2, step }) => ((both > 0) ? length : 1) / ((both > 0) ? Math.sqrt(s2) : 1) * step },
  ],
};

const TRUST_RATIO = transform(trusted, { on: "step" });

const uncorrected = {
  name: "uncorrected",
  doc: "Adam without its bias corrections.",
  tensors: ["p", "g", "m", "v"],
  scalars: ["beta1", "beta2", "eps"],
  states: { m: "exp_avg", v: "exp_avg_sq" },
  buffers: ["exp_avg", "exp_avg_sq"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 5,
  sums: {},
  constants(_s, _c) {
    const beta1 = _s[0], beta2 = _s[1], eps = _s[2];
    const _0 = beta1;
    const _1 = 1 - beta1;
    const _2 = beta2;
    const _3 = 1 - beta2;
    const _4 = eps;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], m = _array2[_i], v = _array3[_i];
      m = _0 * m + _1 * g;
      v = _2 * v + _3 * g * g;
      _out[_i] = m / (Math.sqrt(v) + _4);
      _array2[_i] = m;
      _array3[_i] = v;
    }
  },
  lines: [
    { name: "m", tokens: [["beta1"], " * ", ["m"], " + (1 - ", ["beta1"], ") * ", ["g"]], value: ({ beta1, g, m }) => beta1 * m + (1 - beta1) * g },
    { name: "v", tokens: [["beta2"], " * ", ["v"], " + (1 - ", ["beta2"], ") * ", ["g"], " * ", ["g"]], value: ({ beta2, g, v }) => beta2 * v + (1 - beta2) * g * g },
    { name: null, tokens: [["m"], " / (sqrt(", ["v"], ") + ", ["eps"], ")"], value: ({ eps, m, v }) => m / (Math.sqrt(v) + eps) },
  ],
};

const square = {
  name: "square",
  doc: "Summed over all elements: the squared global norm.",
  tensors: ["p", "g"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: {},
  constants(_s, _c) {
  },
  total(_n, _tensors, _c) {
    const _array1 = _tensors[1];
    let _sum = 0;
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i];
      _sum += g * g;
    }
    return _sum;
  },
  lines: [
    { name: null, tokens: [["g"], " * ", ["g"]], value: ({ g }) => g * g },
  ],
};

const lars = {
  name: "lars",
  doc: "You, Gitman & Ginsburg 2017, algorithm 1; a tensor without length, or at rest, has the local rate 1.",
  tensors: ["p", "g", "v"],
  scalars: ["lr", "momentum", "weight_decay", "trust_coefficient", "p2", "g2"],
  states: { v: "velocity" },
  buffers: ["velocity"],
  numbers: [],
  newNumbers: [],
  over: "tensor",
  moves: true,
  size: 3,
  sums: { p2: parameter_squared, g2: square },
  constants(_s, _c) {
    const lr = _s[0], momentum = _s[1], weight_decay = _s[2], trust_coefficient = _s[3], p2 = _s[4], g2 = _s[5];
    const length = root(g2) + weight_decay * root(p2);
    const both = Math.min(p2, length);
    const local = divide(pick(both > 0, trust_coefficient * root(p2), 1), pick(both > 0, length, 1));
    const _0 = momentum;
    const _1 = lr * local;
    const _2 = weight_decay;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2];
    const _array0 = _tensors[0], _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], g = _array1[_i], v = _array2[_i];
      v = _0 * v - _1 * (g + _2 * p);
      _out[_i] = p + v;
      _array2[_i] = v;
    }
  },
  lines: [
    { name: "length", tokens: ["sqrt(", ["g2"], ") + ", ["weight_decay"], " * sqrt(", ["p2"], ")"], value: ({ g2, p2, weight_decay }) => Math.sqrt(g2) + weight_decay * Math.sqrt(p2) },
    { name: "both", tokens: ["minimum(", ["p2"], ", ", ["length"], ")"], value: ({ length, p2 }) => Math.min(p2, length) },
    { name: "local", tokens: ["where(", ["both"], " > 0, ", ["trust_coefficient"], " * sqrt(", ["p2"], "), 1) / where(", ["both"], " > 0, ", ["length"], ", 1)"], value: ({ both, length, p2, trust_coefficient }) => ((both > 0) ? trust_coefficient * Math.sqrt(p2) : 1) / ((both > 0) ? length : 1) },
    { name: "v", tokens: [["momentum"], " * ", ["v"], " - ", ["lr"], " * ", ["local"], " * (", ["g"], " + ", ["weight_decay"], " * ", ["p"], ")"], value: ({ g, local, lr, momentum, p, v, weight_decay }) => momentum * v - lr * local * (g + weight_decay * p) },
    { name: null, tokens: [["p"], " + ", ["v"]], value: ({ p, v }) => p + v },
  ],
};

const velocity = {
  name: "velocity",
  doc: "A velocity in units of the parameter: the learning rate is inside.",
  tensors: ["p", "g", "v"],
  scalars: ["lr", "momentum"],
  states: { v: "velocity" },
  buffers: ["velocity"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: true,
  size: 2,
  sums: {},
  constants(_s, _c) {
    const lr = _s[0], momentum = _s[1];
    const _0 = momentum;
    const _1 = lr;
    _c[0] = _0;
    _c[1] = _1;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1];
    const _array0 = _tensors[0], _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], g = _array1[_i], v = _array2[_i];
      v = _0 * v - _1 * g;
      _out[_i] = p + v;
      _array2[_i] = v;
    }
  },
  lines: [
    { name: "v", tokens: [["momentum"], " * ", ["v"], " - ", ["lr"], " * ", ["g"]], value: ({ g, lr, momentum, v }) => momentum * v - lr * g },
    { name: null, tokens: [["p"], " + ", ["v"]], value: ({ p, v }) => p + v },
  ],
};

const gradient = {
  name: "gradient",
  doc: "The gradient itself is the step.",
  tensors: ["p", "g"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: {},
  constants(_s, _c) {
  },
  run(_n, _tensors, _c, _out) {
    const _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i];
      _out[_i] = g;
    }
  },
  lines: [
    { name: null, tokens: [["g"]], value: ({ g }) => g },
  ],
};

const momentum_squared = {
  name: "momentum_squared",
  doc: "Summed over a tensor: the squared norm of the average gradient.",
  tensors: ["p", "g", "m"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: {},
  constants(_s, _c) {
  },
  total(_n, _tensors, _c) {
    const _array2 = _tensors[2];
    let _sum = 0;
    for (let _i = 0; _i < _n; _i++) {
      let m = _array2[_i];
      _sum += m * m;
    }
    return _sum;
  },
  lines: [
    { name: null, tokens: [["m"], " * ", ["m"]], value: ({ m }) => m * m },
  ],
};

const alignment = {
  name: "alignment",
  doc: "Summed over a tensor: the inner product of the gradient with the average of those before.",
  tensors: ["p", "g", "m"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: {},
  constants(_s, _c) {
  },
  total(_n, _tensors, _c) {
    const _array1 = _tensors[1], _array2 = _tensors[2];
    let _sum = 0;
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], m = _array2[_i];
      _sum += g * m;
    }
    return _sum;
  },
  lines: [
    { name: null, tokens: [["g"], " * ", ["m"]], value: ({ g, m }) => g * m },
  ],
};

const unit = {
  name: "unit",
  doc: "Summed over a tensor: how many elements it has.",
  tensors: ["p", "g"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 1,
  sums: {},
  constants(_s, _c) {
    const _0 = 1;
    _c[0] = _0;
  },
  total(_n, _tensors, _c) {
    const _0 = _c[0];
    const _array0 = _tensors[0];
    let _sum = 0;
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i];
      _sum += p - p + _0;
    }
    return _sum;
  },
  lines: [
    { name: null, tokens: [["p"], " - ", ["p"], " + 1"], value: ({ p }) => p - p + 1 },
  ],
};

const network = {
  name: "network",
  doc: "Averages of the gradient in units of its size; features; four hidden units; a rate and a direction.",
  tensors: ["p", "g", "m", "s", "v"],
  scalars: ["t", "p2", "g2", "m2", "gm", "count", "beta1", "beta2", "beta3", "fast1", "slow1", "turn1", "odd1", "size1", "agree1", "early1", "late1", "bias1", "fast2", "slow2", "turn2", "odd2", "size2", "agree2", "early2", "late2", "bias2", "fast3", "slow3", "turn3", "odd3", "size3", "agree3", "early3", "late3", "bias3", "fast4", "slow4", "turn4", "odd4", "size4", "agree4", "early4", "late4", "bias4", "rate0", "rate1", "rate2", "rate3", "rate4", "now0", "now1", "now2", "now3", "now4", "past0", "past1", "past2", "past3", "past4"],
  states: { m: "exp_avg", s: "exp_avg_slow", v: "exp_avg_sq" },
  buffers: ["exp_avg", "exp_avg_slow", "exp_avg_sq"],
  numbers: [],
  newNumbers: [],
  over: "tensor",
  moves: false,
  size: 49,
  sums: { p2: parameter_squared, g2: square, m2: momentum_squared, gm: alignment, count: unit },
  constants(_s, _c) {
    const t = _s[0], p2 = _s[1], g2 = _s[2], m2 = _s[3], gm = _s[4], count = _s[5], beta1 = _s[6], beta2 = _s[7], beta3 = _s[8], fast1 = _s[9], slow1 = _s[10], turn1 = _s[11], odd1 = _s[12], size1 = _s[13], agree1 = _s[14], early1 = _s[15], late1 = _s[16], bias1 = _s[17], fast2 = _s[18], slow2 = _s[19], turn2 = _s[20], odd2 = _s[21], size2 = _s[22], agree2 = _s[23], early2 = _s[24], late2 = _s[25], bias2 = _s[26], fast3 = _s[27], slow3 = _s[28], turn3 = _s[29], odd3 = _s[30], size3 = _s[31], agree3 = _s[32], early3 = _s[33], late3 = _s[34], bias3 = _s[35], fast4 = _s[36], slow4 = _s[37], turn4 = _s[38], odd4 = _s[39], size4 = _s[40], agree4 = _s[41], early4 = _s[42], late4 = _s[43], bias4 = _s[44], rate0 = _s[45], rate1 = _s[46], rate2 = _s[47], rate3 = _s[48], rate4 = _s[49], now0 = _s[50], now1 = _s[51], now2 = _s[52], now3 = _s[53], now4 = _s[54], past0 = _s[55], past1 = _s[56], past2 = _s[57], past3 = _s[58], past4 = _s[59];
    const _0 = beta1;
    const _1 = 1 - beta1;
    const _2 = beta2;
    const _3 = 1 - beta2;
    const _4 = beta3;
    const _5 = 1 - beta3;
    const _6 = 1;
    const _7 = 1 - power(beta3, t);
    const _8 = 1e-08;
    const _9 = 1 - power(beta1, t);
    const _10 = 1 - power(beta2, t);
    const length = root(divide(p2, Math.max(count, 1)));
    const size = divide(length, length + 0.05);
    const agree = divide(gm, root(g2) * root(m2) + 1e-30);
    const early = divide(1, power(t, 0.5));
    const late = divide(t, t + 100);
    const _11 = early * early1 + late * late1 + bias1 + agree * agree1 + size * size1;
    const _12 = fast1;
    const _13 = slow1;
    const _14 = turn1;
    const _15 = odd1;
    const _16 = 0;
    const _17 = early * early2 + late * late2 + bias2 + agree * agree2 + size * size2;
    const _18 = fast2;
    const _19 = slow2;
    const _20 = turn2;
    const _21 = odd2;
    const _22 = early * early3 + late * late3 + bias3 + agree * agree3 + size * size3;
    const _23 = fast3;
    const _24 = slow3;
    const _25 = turn3;
    const _26 = odd3;
    const _27 = early * early4 + late * late4 + bias4 + agree * agree4 + size * size4;
    const _28 = fast4;
    const _29 = slow4;
    const _30 = turn4;
    const _31 = odd4;
    const _32 = now0;
    const _33 = now1;
    const _34 = now2;
    const _35 = now3;
    const _36 = now4;
    const _37 = past0;
    const _38 = past1;
    const _39 = past2;
    const _40 = past3;
    const _41 = past4;
    const _42 = rate0;
    const _43 = rate1;
    const _44 = rate2;
    const _45 = rate3;
    const _46 = rate4;
    const _47 = 1.5;
    const _48 = 0.01;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
    _c[5] = _5;
    _c[6] = _6;
    _c[7] = _7;
    _c[8] = _8;
    _c[9] = _9;
    _c[10] = _10;
    _c[11] = _11;
    _c[12] = _12;
    _c[13] = _13;
    _c[14] = _14;
    _c[15] = _15;
    _c[16] = _16;
    _c[17] = _17;
    _c[18] = _18;
    _c[19] = _19;
    _c[20] = _20;
    _c[21] = _21;
    _c[22] = _22;
    _c[23] = _23;
    _c[24] = _24;
    _c[25] = _25;
    _c[26] = _26;
    _c[27] = _27;
    _c[28] = _28;
    _c[29] = _29;
    _c[30] = _30;
    _c[31] = _31;
    _c[32] = _32;
    _c[33] = _33;
    _c[34] = _34;
    _c[35] = _35;
    _c[36] = _36;
    _c[37] = _37;
    _c[38] = _38;
    _c[39] = _39;
    _c[40] = _40;
    _c[41] = _41;
    _c[42] = _42;
    _c[43] = _43;
    _c[44] = _44;
    _c[45] = _45;
    _c[46] = _46;
    _c[47] = _47;
    _c[48] = _48;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4], _5 = _c[5], _6 = _c[6], _7 = _c[7], _8 = _c[8], _9 = _c[9], _10 = _c[10], _11 = _c[11], _12 = _c[12], _13 = _c[13], _14 = _c[14], _15 = _c[15], _16 = _c[16], _17 = _c[17], _18 = _c[18], _19 = _c[19], _20 = _c[20], _21 = _c[21], _22 = _c[22], _23 = _c[23], _24 = _c[24], _25 = _c[25], _26 = _c[26], _27 = _c[27], _28 = _c[28], _29 = _c[29], _30 = _c[30], _31 = _c[31], _32 = _c[32], _33 = _c[33], _34 = _c[34], _35 = _c[35], _36 = _c[36], _37 = _c[37], _38 = _c[38], _39 = _c[39], _40 = _c[40], _41 = _c[41], _42 = _c[42], _43 = _c[43], _44 = _c[44], _45 = _c[45], _46 = _c[46], _47 = _c[47], _48 = _c[48];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3], _array4 = _tensors[4];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], m = _array2[_i], s = _array3[_i], v = _array4[_i], fast, h1, h2, h3, h4, now, odd, past, rate, scale, slow, turn, x, y, z;
      m = _0 * m + _1 * g;
      s = _2 * s + _3 * g;
      v = _4 * v + _5 * g * g;
      scale = _6 / (Math.sqrt(v / _7) + _8);
      x = g * scale;
      y = m / _9 * scale;
      z = s / _10 * scale;
      fast = Math.abs(y);
      slow = Math.abs(z);
      turn = Math.abs(y - z);
      odd = Math.abs(x - y);
      h1 = _11 + fast * _12 + slow * _13;
      h1 = Math.max(h1 + turn * _14 + odd * _15, _16);
      h2 = _17 + fast * _18 + slow * _19;
      h2 = Math.max(h2 + turn * _20 + odd * _21, _16);
      h3 = _22 + fast * _23 + slow * _24;
      h3 = Math.max(h3 + turn * _25 + odd * _26, _16);
      h4 = _27 + fast * _28 + slow * _29;
      h4 = Math.max(h4 + turn * _30 + odd * _31, _16);
      now = _32 + h1 * _33 + h2 * _34 + h3 * _35 + h4 * _36;
      past = _37 + h1 * _38 + h2 * _39 + h3 * _40 + h4 * _41;
      rate = _42 + h1 * _43 + h2 * _44 + h3 * _45 + h4 * _46;
      rate = Math.min(Math.max(rate, _16), _47);
      rate = rate * rate;
      rate = rate * rate;
      _out[_i] = _48 * rate * rate * (y + now * x + past * z);
      _array2[_i] = m;
      _array3[_i] = s;
      _array4[_i] = v;
    }
  },
  lines: [
    { name: "m", tokens: [["beta1"], " * ", ["m"], " + (1 - ", ["beta1"], ") * ", ["g"]], value: ({ beta1, g, m }) => beta1 * m + (1 - beta1) * g },
    { name: "s", tokens: [["beta2"], " * ", ["s"], " + (1 - ", ["beta2"], ") * ", ["g"]], value: ({ beta2, g, s }) => beta2 * s + (1 - beta2) * g },
    { name: "v", tokens: [["beta3"], " * ", ["v"], " + (1 - ", ["beta3"], ") * ", ["g"], " * ", ["g"]], value: ({ beta3, g, v }) => beta3 * v + (1 - beta3) * g * g },
    { name: "scale", tokens: ["1 / (sqrt(", ["v"], " / (1 - ", ["beta3"], " ** ", ["t"], ")) + 1e-08)"], value: ({ beta3, t, v }) => 1 / (Math.sqrt(v / (1 - Math.pow(beta3, t))) + 1e-08) },
    { name: "x", tokens: [["g"], " * ", ["scale"]], value: ({ g, scale }) => g * scale },
    { name: "y", tokens: [["m"], " / (1 - ", ["beta1"], " ** ", ["t"], ") * ", ["scale"]], value: ({ beta1, m, scale, t }) => m / (1 - Math.pow(beta1, t)) * scale },
    { name: "z", tokens: [["s"], " / (1 - ", ["beta2"], " ** ", ["t"], ") * ", ["scale"]], value: ({ beta2, s, scale, t }) => s / (1 - Math.pow(beta2, t)) * scale },
    { name: "length", tokens: ["sqrt(", ["p2"], " / maximum(", ["count"], ", 1))"], value: ({ count, p2 }) => Math.sqrt(p2 / Math.max(count, 1)) },
    { name: "size", tokens: [["length"], " / (", ["length"], " + 0.05)"], value: ({ length }) => length / (length + 0.05) },
    { name: "agree", tokens: [["gm"], " / (sqrt(", ["g2"], ") * sqrt(", ["m2"], ") + 1e-30)"], value: ({ g2, gm, m2 }) => gm / (Math.sqrt(g2) * Math.sqrt(m2) + 1e-30) },
    { name: "early", tokens: ["1 / ", ["t"], " ** 0.5"], value: ({ t }) => 1 / Math.pow(t, 0.5) },
    { name: "late", tokens: [["t"], " / (", ["t"], " + 100)"], value: ({ t }) => t / (t + 100) },
    { name: "fast", tokens: ["absolute(", ["y"], ")"], value: ({ y }) => Math.abs(y) },
    { name: "slow", tokens: ["absolute(", ["z"], ")"], value: ({ z }) => Math.abs(z) },
    { name: "turn", tokens: ["absolute(", ["y"], " - ", ["z"], ")"], value: ({ y, z }) => Math.abs(y - z) },
    { name: "odd", tokens: ["absolute(", ["x"], " - ", ["y"], ")"], value: ({ x, y }) => Math.abs(x - y) },
    { name: "h1", tokens: [["early"], " * ", ["early1"], " + ", ["late"], " * ", ["late1"], " + ", ["bias1"], " + ", ["agree"], " * ", ["agree1"], " + ", ["size"], " * ", ["size1"], " + ", ["fast"], " * ", ["fast1"], " + ", ["slow"], " * ", ["slow1"]], value: ({ agree, agree1, bias1, early, early1, fast, fast1, late, late1, size, size1, slow, slow1 }) => early * early1 + late * late1 + bias1 + agree * agree1 + size * size1 + fast * fast1 + slow * slow1 },
    { name: "h1", tokens: ["maximum(", ["h1"], " + ", ["turn"], " * ", ["turn1"], " + ", ["odd"], " * ", ["odd1"], ", 0)"], value: ({ h1, odd, odd1, turn, turn1 }) => Math.max(h1 + turn * turn1 + odd * odd1, 0) },
    { name: "h2", tokens: [["early"], " * ", ["early2"], " + ", ["late"], " * ", ["late2"], " + ", ["bias2"], " + ", ["agree"], " * ", ["agree2"], " + ", ["size"], " * ", ["size2"], " + ", ["fast"], " * ", ["fast2"], " + ", ["slow"], " * ", ["slow2"]], value: ({ agree, agree2, bias2, early, early2, fast, fast2, late, late2, size, size2, slow, slow2 }) => early * early2 + late * late2 + bias2 + agree * agree2 + size * size2 + fast * fast2 + slow * slow2 },
    { name: "h2", tokens: ["maximum(", ["h2"], " + ", ["turn"], " * ", ["turn2"], " + ", ["odd"], " * ", ["odd2"], ", 0)"], value: ({ h2, odd, odd2, turn, turn2 }) => Math.max(h2 + turn * turn2 + odd * odd2, 0) },
    { name: "h3", tokens: [["early"], " * ", ["early3"], " + ", ["late"], " * ", ["late3"], " + ", ["bias3"], " + ", ["agree"], " * ", ["agree3"], " + ", ["size"], " * ", ["size3"], " + ", ["fast"], " * ", ["fast3"], " + ", ["slow"], " * ", ["slow3"]], value: ({ agree, agree3, bias3, early, early3, fast, fast3, late, late3, size, size3, slow, slow3 }) => early * early3 + late * late3 + bias3 + agree * agree3 + size * size3 + fast * fast3 + slow * slow3 },
    { name: "h3", tokens: ["maximum(", ["h3"], " + ", ["turn"], " * ", ["turn3"], " + ", ["odd"], " * ", ["odd3"], ", 0)"], value: ({ h3, odd, odd3, turn, turn3 }) => Math.max(h3 + turn * turn3 + odd * odd3, 0) },
    { name: "h4", tokens: [["early"], " * ", ["early4"], " + ", ["late"], " * ", ["late4"], " + ", ["bias4"], " + ", ["agree"], " * ", ["agree4"], " + ", ["size"], " * ", ["size4"], " + ", ["fast"], " * ", ["fast4"], " + ", ["slow"], " * ", ["slow4"]], value: ({ agree, agree4, bias4, early, early4, fast, fast4, late, late4, size, size4, slow, slow4 }) => early * early4 + late * late4 + bias4 + agree * agree4 + size * size4 + fast * fast4 + slow * slow4 },
    { name: "h4", tokens: ["maximum(", ["h4"], " + ", ["turn"], " * ", ["turn4"], " + ", ["odd"], " * ", ["odd4"], ", 0)"], value: ({ h4, odd, odd4, turn, turn4 }) => Math.max(h4 + turn * turn4 + odd * odd4, 0) },
    { name: "now", tokens: [["now0"], " + ", ["h1"], " * ", ["now1"], " + ", ["h2"], " * ", ["now2"], " + ", ["h3"], " * ", ["now3"], " + ", ["h4"], " * ", ["now4"]], value: ({ h1, h2, h3, h4, now0, now1, now2, now3, now4 }) => now0 + h1 * now1 + h2 * now2 + h3 * now3 + h4 * now4 },
    { name: "past", tokens: [["past0"], " + ", ["h1"], " * ", ["past1"], " + ", ["h2"], " * ", ["past2"], " + ", ["h3"], " * ", ["past3"], " + ", ["h4"], " * ", ["past4"]], value: ({ h1, h2, h3, h4, past0, past1, past2, past3, past4 }) => past0 + h1 * past1 + h2 * past2 + h3 * past3 + h4 * past4 },
    { name: "rate", tokens: [["rate0"], " + ", ["h1"], " * ", ["rate1"], " + ", ["h2"], " * ", ["rate2"], " + ", ["h3"], " * ", ["rate3"], " + ", ["h4"], " * ", ["rate4"]], value: ({ h1, h2, h3, h4, rate0, rate1, rate2, rate3, rate4 }) => rate0 + h1 * rate1 + h2 * rate2 + h3 * rate3 + h4 * rate4 },
    { name: "rate", tokens: ["minimum(maximum(", ["rate"], ", 0), 1.5)"], value: ({ rate }) => Math.min(Math.max(rate, 0), 1.5) },
    { name: "rate", tokens: [["rate"], " * ", ["rate"]], value: ({ rate }) => rate * rate },
    { name: "rate", tokens: [["rate"], " * ", ["rate"]], value: ({ rate }) => rate * rate },
    { name: null, tokens: ["0.01 * ", ["rate"], " * ", ["rate"], " * (", ["y"], " + ", ["now"], " * ", ["x"], " + ", ["past"], " * ", ["z"], ")"], value: ({ now, past, rate, x, y, z }) => 0.01 * rate * rate * (y + now * x + past * z) },
  ],
};

const _NETWORK = transform(network, { on: "step", options: { beta1: 0.960696, beta2: 0.996326, beta3: 0.995488, fast1: 0.569925, slow1: -0.173141, turn1: -1.41097, odd1: 0.018628, size1: -0.209985, agree1: -0.941917, early1: -0.181604, late1: 0.515641, bias1: -1.00877, fast2: -0.451058, slow2: -0.158189, turn2: 0.437048, odd2: -0.588051, size2: 0.1569, agree2: -0.477445, early2: 0.143473, late2: -0.237798, bias2: 0.448932, fast3: -0.0223415, slow3: -0.666385, turn3: 0.527375, odd3: 0.758074, size3: 0.198123, agree3: 0.290453, early3: -0.124922, late3: 0.430392, bias3: -0.767947, fast4: 0.0, slow4: 0.0, turn4: 0.0, odd4: 0.0, size4: -1.0, agree4: 0.0, early4: 0.0, late4: 0.0, bias4: 0.8, rate0: 1.0293, rate1: -0.128952, rate2: -0.329064, rate3: -0.277954, rate4: -0.5, now0: 0.58453, now1: 0.0478388, now2: 0.239132, now3: 0.328919, now4: 0.0, past0: 0.216649, past1: -0.113902, past2: 0.217537, past3: -0.221964, past4: 0.0 } });

const accumulate = {
  name: "accumulate",
  doc: "A decaying sum of gradients.",
  tensors: ["p", "g", "v"],
  scalars: ["momentum"],
  states: { v: "velocity" },
  buffers: ["velocity"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 1,
  sums: {},
  constants(_s, _c) {
    const momentum = _s[0];
    const _0 = momentum;
    _c[0] = _0;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0];
    const _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], v = _array2[_i];
      v = _0 * v + g;
      _out[_i] = v;
      _array2[_i] = v;
    }
  },
  lines: [
    { name: "v", tokens: [["momentum"], " * ", ["v"], " + ", ["g"]], value: ({ g, momentum, v }) => momentum * v + g },
    { name: null, tokens: [["v"]], value: ({ v }) => v },
  ],
};

const average = {
  name: "average",
  doc: "An exponential moving average of gradients.",
  tensors: ["p", "g", "v"],
  scalars: ["momentum"],
  states: { v: "velocity" },
  buffers: ["velocity"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 2,
  sums: {},
  constants(_s, _c) {
    const momentum = _s[0];
    const _0 = momentum;
    const _1 = 1 - momentum;
    _c[0] = _0;
    _c[1] = _1;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1];
    const _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], v = _array2[_i];
      v = _0 * v + _1 * g;
      _out[_i] = v;
      _array2[_i] = v;
    }
  },
  lines: [
    { name: "v", tokens: [["momentum"], " * ", ["v"], " + (1 - ", ["momentum"], ") * ", ["g"]], value: ({ g, momentum, v }) => momentum * v + (1 - momentum) * g },
    { name: null, tokens: [["v"]], value: ({ v }) => v },
  ],
};

const _CONVENTIONS = { sum: accumulate, average: average, velocity: velocity };

const nadam = {
  name: "nadam",
  doc: "Dozat 2016, algorithm 2, with the schedule of momentum that he proposes.",
  tensors: ["p", "g", "m", "v"],
  scalars: ["t", "beta1", "beta2", "eps", "momentum_decay", "mu_product"],
  states: { m: "exp_avg", v: "exp_avg_sq", mu_product: "mu_product" },
  buffers: ["exp_avg", "exp_avg_sq"],
  numbers: ["mu_product"],
  newNumbers: [8],
  over: "all",
  moves: false,
  size: 9,
  sums: {},
  constants(_s, _c) {
    const t = _s[0], beta1 = _s[1], beta2 = _s[2], eps = _s[3], momentum_decay = _s[4], mu_product = _s[5];
    const mu = beta1 * (1 - 0.5 * power(0.96, t * momentum_decay));
    const following = beta1 * (1 - 0.5 * power(0.96, (t + 1) * momentum_decay));
    const product = mu_product * mu;
    const _0 = beta1;
    const _1 = 1 - beta1;
    const _2 = beta2;
    const _3 = 1 - beta2;
    const _4 = divide(1 - mu, 1 - product);
    const _5 = divide(following, 1 - product * following);
    const _6 = 1 - power(beta2, t);
    const _7 = eps;
    const _8 = product;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
    _c[5] = _5;
    _c[6] = _6;
    _c[7] = _7;
    _c[8] = _8;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4], _5 = _c[5], _6 = _c[6], _7 = _c[7], _8 = _c[8];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], m = _array2[_i], v = _array3[_i], ahead;
      m = _0 * m + _1 * g;
      v = _2 * v + _3 * g * g;
      ahead = _4 * g + _5 * m;
      _out[_i] = ahead / (Math.sqrt(v / _6) + _7);
      _array2[_i] = m;
      _array3[_i] = v;
    }
  },
  lines: [
    { name: "mu", tokens: [["beta1"], " * (1 - 0.5 * 0.96 ** (", ["t"], " * ", ["momentum_decay"], "))"], value: ({ beta1, momentum_decay, t }) => beta1 * (1 - 0.5 * Math.pow(0.96, t * momentum_decay)) },
    { name: "following", tokens: [["beta1"], " * (1 - 0.5 * 0.96 ** ((", ["t"], " + 1) * ", ["momentum_decay"], "))"], value: ({ beta1, momentum_decay, t }) => beta1 * (1 - 0.5 * Math.pow(0.96, (t + 1) * momentum_decay)) },
    { name: "product", tokens: [["mu_product"], " * ", ["mu"]], value: ({ mu, mu_product }) => mu_product * mu },
    { name: "m", tokens: [["beta1"], " * ", ["m"], " + (1 - ", ["beta1"], ") * ", ["g"]], value: ({ beta1, g, m }) => beta1 * m + (1 - beta1) * g },
    { name: "v", tokens: [["beta2"], " * ", ["v"], " + (1 - ", ["beta2"], ") * ", ["g"], " * ", ["g"]], value: ({ beta2, g, v }) => beta2 * v + (1 - beta2) * g * g },
    { name: "ahead", tokens: ["(1 - ", ["mu"], ") / (1 - ", ["product"], ") * ", ["g"], " + ", ["following"], " / (1 - ", ["product"], " * ", ["following"], ") * ", ["m"]], value: ({ following, g, m, mu, product }) => (1 - mu) / (1 - product) * g + following / (1 - product * following) * m },
    { name: null, tokens: [["ahead"], " / (sqrt(", ["v"], " / (1 - ", ["beta2"], " ** ", ["t"], ")) + ", ["eps"], ")"], value: ({ ahead, beta2, eps, t, v }) => ahead / (Math.sqrt(v / (1 - Math.pow(beta2, t))) + eps) },
    { name: "mu_product", tokens: [["product"]], value: ({ product }) => product },
  ],
};

const radam = {
  name: "radam",
  doc: "Liu et al. 2020, algorithm 2, with torch's threshold of 5 and its eps.",
  tensors: ["p", "g", "m", "v"],
  scalars: ["t", "beta1", "beta2", "eps"],
  states: { m: "exp_avg", v: "exp_avg_sq" },
  buffers: ["exp_avg", "exp_avg_sq"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 9,
  sums: {},
  constants(_s, _c) {
    const t = _s[0], beta1 = _s[1], beta2 = _s[2], eps = _s[3];
    const _0 = beta1;
    const _1 = 1 - beta1;
    const _2 = beta2;
    const _3 = 1 - beta2;
    const longest = divide(2, 1 - beta2) - 1;
    const length = longest - divide(2 * t * power(beta2, t), 1 - power(beta2, t));
    const now = Math.max(length, 5);
    const end = Math.max(longest, 5);
    const r = root(divide((now - 4) * (now - 2) * end, (end - 4) * (end - 2) * now));
    const _4 = r * root(1 - power(beta2, t));
    const _5 = eps;
    const _6 = 1 - power(beta1, t);
    const _7 = length > 5;
    const _8 = 1;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
    _c[5] = _5;
    _c[6] = _6;
    _c[7] = _7;
    _c[8] = _8;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4], _5 = _c[5], _6 = _c[6], _7 = _c[7], _8 = _c[8];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], m = _array2[_i], v = _array3[_i], adaptive;
      m = _0 * m + _1 * g;
      v = _2 * v + _3 * g * g;
      adaptive = _4 / (Math.sqrt(v) + _5);
      _out[_i] = m / _6 * (_7 ? adaptive : _8);
      _array2[_i] = m;
      _array3[_i] = v;
    }
  },
  lines: [
    { name: "m", tokens: [["beta1"], " * ", ["m"], " + (1 - ", ["beta1"], ") * ", ["g"]], value: ({ beta1, g, m }) => beta1 * m + (1 - beta1) * g },
    { name: "v", tokens: [["beta2"], " * ", ["v"], " + (1 - ", ["beta2"], ") * ", ["g"], " * ", ["g"]], value: ({ beta2, g, v }) => beta2 * v + (1 - beta2) * g * g },
    { name: "longest", tokens: ["2 / (1 - ", ["beta2"], ") - 1"], value: ({ beta2 }) => 2 / (1 - beta2) - 1 },
    { name: "length", tokens: [["longest"], " - 2 * ", ["t"], " * ", ["beta2"], " ** ", ["t"], " / (1 - ", ["beta2"], " ** ", ["t"], ")"], value: ({ beta2, longest, t }) => longest - 2 * t * Math.pow(beta2, t) / (1 - Math.pow(beta2, t)) },
    { name: "now", tokens: ["maximum(", ["length"], ", 5)"], value: ({ length }) => Math.max(length, 5) },
    { name: "end", tokens: ["maximum(", ["longest"], ", 5)"], value: ({ longest }) => Math.max(longest, 5) },
    { name: "r", tokens: ["sqrt((", ["now"], " - 4) * (", ["now"], " - 2) * ", ["end"], " / ((", ["end"], " - 4) * (", ["end"], " - 2) * ", ["now"], "))"], value: ({ end, now }) => Math.sqrt((now - 4) * (now - 2) * end / ((end - 4) * (end - 2) * now)) },
    { name: "adaptive", tokens: [["r"], " * sqrt(1 - ", ["beta2"], " ** ", ["t"], ") / (sqrt(", ["v"], ") + ", ["eps"], ")"], value: ({ beta2, eps, r, t, v }) => r * Math.sqrt(1 - Math.pow(beta2, t)) / (Math.sqrt(v) + eps) },
    { name: null, tokens: [["m"], " / (1 - ", ["beta1"], " ** ", ["t"], ") * where(", ["length"], " > 5, ", ["adaptive"], ", 1)"], value: ({ adaptive, beta1, length, m, t }) => m / (1 - Math.pow(beta1, t)) * ((length > 5) ? adaptive : 1) },
  ],
};

const heavy_ball = {
  name: "heavy_ball",
  doc: "Polyak 1964; the first gradient enters undampened, as in torch.",
  tensors: ["p", "g", "v"],
  scalars: ["t", "momentum", "dampening"],
  states: { v: "momentum_buffer" },
  buffers: ["momentum_buffer"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 2,
  sums: {},
  constants(_s, _c) {
    const t = _s[0], momentum = _s[1], dampening = _s[2];
    const _0 = momentum;
    const _1 = pick(t === 1, 1, 1 - dampening);
    _c[0] = _0;
    _c[1] = _1;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1];
    const _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], v = _array2[_i];
      v = _0 * v + _1 * g;
      _out[_i] = v;
      _array2[_i] = v;
    }
  },
  lines: [
    { name: "v", tokens: [["momentum"], " * ", ["v"], " + where(", ["t"], " == 1, 1, 1 - ", ["dampening"], ") * ", ["g"]], value: ({ dampening, g, momentum, t, v }) => momentum * v + ((t === 1) ? 1 : 1 - dampening) * g },
    { name: null, tokens: [["v"]], value: ({ v }) => v },
  ],
};

const _MOMENTUM = transform(heavy_ball, { on: "step", options: { dampening: 0.0 } });

const rmsprop_centered = {
  name: "rmsprop_centered",
  doc: "Graves 2013, equations 38-40: divided by an estimate of the standard deviation.",
  tensors: ["p", "g", "s", "a"],
  scalars: ["alpha", "eps"],
  states: { s: "square_avg", a: "grad_avg" },
  buffers: ["square_avg", "grad_avg"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 4,
  sums: {},
  constants(_s, _c) {
    const alpha = _s[0], eps = _s[1];
    const _0 = alpha;
    const _1 = 1 - alpha;
    const _2 = 0;
    const _3 = eps;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3];
    const _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], s = _array2[_i], a = _array3[_i];
      s = _0 * s + _1 * g * g;
      a = _0 * a + _1 * g;
      _out[_i] = g / (Math.sqrt(Math.max(s - a * a, _2)) + _3);
      _array2[_i] = s;
      _array3[_i] = a;
    }
  },
  lines: [
    { name: "s", tokens: [["alpha"], " * ", ["s"], " + (1 - ", ["alpha"], ") * ", ["g"], " * ", ["g"]], value: ({ alpha, g, s }) => alpha * s + (1 - alpha) * g * g },
    { name: "a", tokens: [["alpha"], " * ", ["a"], " + (1 - ", ["alpha"], ") * ", ["g"]], value: ({ a, alpha, g }) => alpha * a + (1 - alpha) * g },
    { name: null, tokens: [["g"], " / (sqrt(maximum(", ["s"], " - ", ["a"], " * ", ["a"], ", 0)) + ", ["eps"], ")"], value: ({ a, eps, g, s }) => g / (Math.sqrt(Math.max(s - a * a, 0)) + eps) },
  ],
};

const rmsprop = {
  name: "rmsprop",
  doc: "Tieleman & Hinton 2012.",
  tensors: ["p", "g", "s"],
  scalars: ["alpha", "eps"],
  states: { s: "square_avg" },
  buffers: ["square_avg"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 3,
  sums: {},
  constants(_s, _c) {
    const alpha = _s[0], eps = _s[1];
    const _0 = alpha;
    const _1 = 1 - alpha;
    const _2 = eps;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2];
    const _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], s = _array2[_i];
      s = _0 * s + _1 * g * g;
      _out[_i] = g / (Math.sqrt(s) + _2);
      _array2[_i] = s;
    }
  },
  lines: [
    { name: "s", tokens: [["alpha"], " * ", ["s"], " + (1 - ", ["alpha"], ") * ", ["g"], " * ", ["g"]], value: ({ alpha, g, s }) => alpha * s + (1 - alpha) * g * g },
    { name: null, tokens: [["g"], " / (sqrt(", ["s"], ") + ", ["eps"], ")"], value: ({ eps, g, s }) => g / (Math.sqrt(s) + eps) },
  ],
};

const rprop = {
  name: "rprop",
  doc: "Riedmiller & Braun 1993 without going back: after a change of sign the element rests for one step.",
  tensors: ["p", "g", "before", "size"],
  scalars: ["eta1", "eta2", "step_size1", "step_size2"],
  states: { before: "prev", size: "step_size" },
  buffers: ["prev", "step_size"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: true,
  size: 5,
  sums: {},
  constants(_s, _c) {
    const eta1 = _s[0], eta2 = _s[1], step_size1 = _s[2], step_size2 = _s[3];
    const _0 = 0;
    const _1 = eta2;
    const _2 = eta1;
    const _3 = step_size1;
    const _4 = step_size2;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
    _c[3] = _3;
    _c[4] = _4;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2], _3 = _c[3], _4 = _c[4];
    const _array0 = _tensors[0], _array1 = _tensors[1], _array2 = _tensors[2], _array3 = _tensors[3];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], g = _array1[_i], before = _array2[_i], size = _array3[_i], agreement;
      agreement = g * Math.sign(before);
      size = (agreement > _0) ? _1 * size : ((agreement < _0) ? _2 * size : size);
      size = Math.min(Math.max(size, _3), _4);
      g = (agreement < _0) ? _0 : g;
      _out[_i] = p - Math.sign(g) * size;
      _array2[_i] = g;
      _array3[_i] = size;
    }
  },
  lines: [
    { name: "agreement", tokens: [["g"], " * sign(", ["before"], ")"], value: ({ before, g }) => g * Math.sign(before) },
    { name: "size", tokens: ["where(", ["agreement"], " > 0, ", ["eta2"], " * ", ["size"], ", where(", ["agreement"], " < 0, ", ["eta1"], " * ", ["size"], ", ", ["size"], "))"], value: ({ agreement, eta1, eta2, size }) => (agreement > 0) ? eta2 * size : ((agreement < 0) ? eta1 * size : size) },
    { name: "size", tokens: ["minimum(maximum(", ["size"], ", ", ["step_size1"], "), ", ["step_size2"], ")"], value: ({ size, step_size1, step_size2 }) => Math.min(Math.max(size, step_size1), step_size2) },
    { name: "g", tokens: ["where(", ["agreement"], " < 0, 0, ", ["g"], ")"], value: ({ agreement, g }) => (agreement < 0) ? 0 : g },
    { name: null, tokens: [["p"], " - sign(", ["g"], ") * ", ["size"]], value: ({ g, p, size }) => p - Math.sign(g) * size },
    { name: "before", tokens: [["g"]], value: ({ g }) => g },
  ],
};

const nesterov = {
  name: "nesterov",
  doc: "Sutskever et al. 2013, section 2, rewritten at the look-ahead point.",
  tensors: ["p", "g", "v"],
  scalars: ["momentum"],
  states: { v: "momentum_buffer" },
  buffers: ["momentum_buffer"],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 1,
  sums: {},
  constants(_s, _c) {
    const momentum = _s[0];
    const _0 = momentum;
    _c[0] = _0;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0];
    const _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], v = _array2[_i];
      v = _0 * v + g;
      _out[_i] = g + _0 * v;
      _array2[_i] = v;
    }
  },
  lines: [
    { name: "v", tokens: [["momentum"], " * ", ["v"], " + ", ["g"]], value: ({ g, momentum, v }) => momentum * v + g },
    { name: null, tokens: [["g"], " + ", ["momentum"], " * ", ["v"]], value: ({ g, momentum, v }) => g + momentum * v },
  ],
};

const agreement = {
  name: "agreement",
  doc: "Summed over a group: the gradient along the last step of SGD.",
  tensors: ["p", "g", "before"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: {},
  constants(_s, _c) {
  },
  total(_n, _tensors, _c) {
    const _array1 = _tensors[1], _array2 = _tensors[2];
    let _sum = 0;
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i], before = _array2[_i];
      _sum += g * before;
    }
    return _sum;
  },
  lines: [
    { name: null, tokens: [["g"], " * ", ["before"]], value: ({ before, g }) => g * before },
  ],
};

const sgd_hd = {
  name: "sgd_hd",
  doc: "Baydin et al. 2018, SGD-HD.",
  tensors: ["p", "g", "before"],
  scalars: ["lr", "hypergrad_lr", "shift", "h"],
  states: { before: "prev_grad", shift: "lr_shift" },
  buffers: ["prev_grad"],
  numbers: ["lr_shift"],
  newNumbers: [1],
  over: "group",
  moves: true,
  size: 2,
  sums: { h: agreement },
  constants(_s, _c) {
    const lr = _s[0], hypergrad_lr = _s[1], shift = _s[2], h = _s[3];
    const moved = shift + hypergrad_lr * h;
    const _0 = lr + moved;
    const _1 = moved;
    _c[0] = _0;
    _c[1] = _1;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1];
    const _array0 = _tensors[0], _array1 = _tensors[1], _array2 = _tensors[2];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], g = _array1[_i];
      _out[_i] = p - _0 * g;
      _array2[_i] = g;
    }
  },
  lines: [
    { name: "moved", tokens: [["shift"], " + ", ["hypergrad_lr"], " * ", ["h"]], value: ({ h, hypergrad_lr, shift }) => shift + hypergrad_lr * h },
    { name: null, tokens: [["p"], " - (", ["lr"], " + ", ["moved"], ") * ", ["g"]], value: ({ g, lr, moved, p }) => p - (lr + moved) * g },
    { name: "before", tokens: [["g"]], value: ({ g }) => g },
    { name: "shift", tokens: [["moved"]], value: ({ moved }) => moved },
  ],
};

function clip_norm(max_norm) {
  check_value("clip_norm", "max_norm", max_norm, "(0, inf)");
  return transform(clipped_norm, { on: "grad", options: { max_norm: max_norm }, check: _finite });
}

function clip_value(limit) {
  check_value("clip_value", "limit", limit, "(0, inf)");
  return transform(clipped_value, { on: "grad", options: { limit: limit } });
}

function coupled_decay(weight_decay) {
  check_value("coupled_decay", "weight_decay", weight_decay, "[0, inf)");
  return transform(coupled, { on: "grad", options: { weight_decay: weight_decay } });
}

function decoupled_decay(weight_decay) {
  check_value("decoupled_decay", "weight_decay", weight_decay, "[0, inf)");
  return transform(decoupled, { on: "step", options: { weight_decay: weight_decay } });
}

function elastic_net_penalty(l1, l2) {
  return transform(penalized, { on: "grad", options: _strengths("penalty", l1, l2) });
}

function elastic_net_prox(l1, l2) {
  return transform(shrunk, { on: "param", options: _strengths("prox", l1, l2) });
}

function guard(policy = "raise") {
  if (!contains(["raise", "skip"], policy)) {
    throw new UserError(`guard: policy must be 'raise' or 'skip', got ${repr(policy)}`);
  }
  return transform(passed, { on: "grad", check: (policy === "raise" ? _raise : _skip) });
}

function l1_penalty(l1) {
  return elastic_net_penalty(l1, 0.0);
}

function l1_prox(l1) {
  return elastic_net_prox(l1, 0.0);
}

function trust_ratio(bounds = [0.0, float("inf")]) {
  check_options("trust_ratio", { bounds: bounds }, { bounds: "[0, inf) x (0, inf]" });
  check_order("trust_ratio", "bounds", bounds);
  return transform(trusted, { on: "step", options: { bound1: bounds[0], bound2: bounds[1] } });
}

class Schedule {
  static __name__ = "Schedule";
  __post_init__() {
    let own, length;
    if (!contains(["hold", "repeat", "error"], this.after)) {
      throw this._refuse("after", this.after, "one of 'hold', 'repeat', 'error'");
    }
    own = contains(Array.from(fields(this)).map((field) => field.name), "steps");
    if ((this.steps === null && this.after !== "hold")) {
      length = (truth(own) ? "steps" : "cycles");
      throw new UserError(`${text(this._name)}: after=${repr(this.after)} needs an end; give ${text(length)} as well`);
    }
    if ((truth(own) && this.steps !== null)) {
      this._whole("steps");
    }
  }
  at(step) {
    if (!((0 <= step && step < Infinity))) {
      throw new UserError(`a schedule starts at step 0; there is no step ${text(step)}`);
    }
    return this._factor(this._inside(step));
  }
  then(following) {
    return construct(Chain, this, following);
  }
  span() {
    if (this.steps === null) {
      return this._shape_steps();
    }
    return (this.after === "repeat" ? (3 * this.steps) : this.steps);
  }
  __repr__() {
    let parts, field, value;
    parts = [];
    for (field of fields(this)) {
      value = this[field.name];
      if ((field.default === MISSING && !(truth(field.kw_only)))) {
        parts.push(repr(value));
      } else {
        if (value !== field.default) {
          parts.push(`${text(field.name)}=${repr(value)}`);
        }
      }
    }
    return `${text(this._name)}(${text(join(", ", parts))})`;
  }
  _factor(step) {
    throw new Error("not implemented");
  }
  _shape_steps() {
    return 100;
  }
  _inside(step) {
    if (this.steps === null) {
      return step;
    }
    if (this.after === "repeat") {
      return mod(step, this.steps);
    }
    if ((step > this.steps && this.after === "error")) {
      throw new UserError(`step ${text(step)} is past the end of ${text(this)}, which takes ${text(this.steps)} steps`);
    }
    return Math.min(step, this.steps);
  }
  get _name() {
    return type(this).__name__;
  }
  _refuse(option, value, wanted) {
    return new UserError(`${text(this._name)}: ${text(option)} is ${repr(value)}; it must be ${text(wanted)}`);
  }
  _whole(option, low = 1) {
    this[option] = this._as_whole(option, this[option], low);
  }
  _as_whole(option, value, low) {
    let number;
    try {
      number = (typeof value === "boolean" ? null : index(value));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      number = null;
    }
    if ((number === null || number < low)) {
      throw this._refuse(option, value, `a whole number, ${text(low)} or more`);
    }
    return number;
  }
  _real(option, low, high = Infinity, { above = false } = {}) {
    let value, number, least, most;
    value = this[option];
    try {
      number = ((typeof value === "boolean" || typeof value === "string") ? NaN : float(value));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      number = NaN;
    }
    if ((!((low <= number && number <= high)) || isinf(number) || (truth(above) && number === low))) {
      least = (truth(above) ? `more than ${general(low)}` : `${general(low)} or more`);
      most = (isinf(high) ? "" : ` and at most ${general(high)}`);
      throw this._refuse(option, value, `a number, ${text(least)}${text(most)}`);
    }
    this[option] = number;
  }
  _below_top(option) {
    let value;
    this._real(option, 0);
    value = this[option];
    if (value > 1) {
      throw new UserError(`${text(this._name)}: ${text(option)} is ${general(value)}, above the top of the cycle, which is 1; give it as a fraction of the optimizer's own value, from 0 to 1`);
    }
  }
  _flag(option) {
    if (!(typeof this[option] === "boolean")) {
      throw this._refuse(option, this[option], "True or False");
    }
  }
}

class constant extends Schedule {
  static __name__ = "constant";
  static fields = [{ name: "steps", default: null, kw_only: false }, { name: "factor", default: 1.0, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    super.__post_init__();
    this._real("factor", 0);
  }
  _factor(step) {
    return this.factor;
  }
}

class step extends Schedule {
  static __name__ = "step";
  static fields = [{ name: "size", kw_only: false }, { name: "gamma", default: 0.1, kw_only: false }, { name: "steps", default: null, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    super.__post_init__();
    this._whole("size");
    this._real("gamma", 0, undefined, { above: true });
  }
  _factor(step) {
    return power(this.gamma, Math.floor(divide(step, this.size)));
  }
  _shape_steps() {
    return (4 * this.size);
  }
}

class multistep extends Schedule {
  static __name__ = "multistep";
  static fields = [{ name: "milestones", kw_only: false }, { name: "gamma", default: 0.1, kw_only: false }, { name: "steps", default: null, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    let marks;
    super.__post_init__();
    this._real("gamma", 0, undefined, { above: true });
    if ((typeof this.milestones === "string" || !(Array.isArray(this.milestones)))) {
      throw this._refuse("milestones", this.milestones, "a list of steps such as [30, 60]");
    }
    marks = Array.from(Array.from(this.milestones).map((mark) => this._as_whole("milestones", mark, 1)));
    if ((!(truth(marks)) || any(Array.from(pairwise(marks)).map(([a, b]) => a >= b)))) {
      throw this._refuse("milestones", Array.from(marks), "a rising list of steps such as [30, 60]");
    }
    this["milestones"] = marks;
  }
  _factor(step) {
    return power(this.gamma, sum(Array.from(this.milestones).map((mark) => mark <= step)));
  }
  _shape_steps() {
    return Math.ceil((1.25 * this.milestones.at(-1)));
  }
}

class exponential extends Schedule {
  static __name__ = "exponential";
  static fields = [{ name: "gamma", kw_only: false }, { name: "steps", default: null, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    super.__post_init__();
    this._real("gamma", 0, 1, { above: true });
  }
  _factor(step) {
    return power(this.gamma, step);
  }
  _shape_steps() {
    return (this.gamma === 1 ? 100 : Math.max(10, Math.ceil(divide(Math.log(0.01), Math.log(this.gamma)))));
  }
}

class linear extends Schedule {
  static __name__ = "linear";
  static fields = [{ name: "steps", kw_only: false }, { name: "start", default: 1.0, kw_only: false }, { name: "end", default: 0.0, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    super.__post_init__();
    this._whole("steps");
    this._real("start", 0);
    this._real("end", 0);
  }
  _factor(step) {
    return (this.start + divide(((this.end - this.start) * step), this.steps));
  }
}

class warmup extends Schedule {
  static __name__ = "warmup";
  static fields = [{ name: "steps", kw_only: false }, { name: "start", default: 0.0, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    super.__post_init__();
    this._whole("steps");
    this._real("start", 0, 1);
  }
  _factor(step) {
    return (this.start + divide(((1 - this.start) * step), this.steps));
  }
}

class polynomial extends Schedule {
  static __name__ = "polynomial";
  static fields = [{ name: "steps", kw_only: false }, { name: "power", kw_only: false }, { name: "end", default: 0.0, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    super.__post_init__();
    this._whole("steps");
    this._real("power", 0, undefined, { above: true });
    this._real("end", 0, 1);
  }
  _factor(step) {
    return (this.end + ((1 - this.end) * power((1 - divide(step, this.steps)), this.power)));
  }
}

class cosine extends Schedule {
  static __name__ = "cosine";
  static fields = [{ name: "steps", kw_only: false }, { name: "end", default: 0.0, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    super.__post_init__();
    this._whole("steps");
    this._real("end", 0, 1);
  }
  _factor(step) {
    return (this.end + divide(((1 - this.end) * (1 + Math.cos(divide((3.141592653589793 * step), this.steps)))), 2));
  }
}

class inverse_sqrt extends Schedule {
  static __name__ = "inverse_sqrt";
  static fields = [{ name: "scale", default: 1, kw_only: false }, { name: "steps", default: null, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    super.__post_init__();
    this._whole("scale");
  }
  _factor(step) {
    return root(divide(this.scale, (this.scale + step)));
  }
  _shape_steps() {
    return Math.max(100, (9 * this.scale));
  }
}

class cosine_restarts extends Schedule {
  static __name__ = "cosine_restarts";
  static fields = [{ name: "period", kw_only: false }, { name: "multiplier", default: 1, kw_only: false }, { name: "end", default: 0.0, kw_only: false }, { name: "cycles", default: null, kw_only: false }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    let most;
    this._whole("period");
    this._whole("multiplier");
    this._real("end", 0, 1);
    if (this.cycles !== null) {
      this._whole("cycles");
      if ((this.cycles * Math.log2(this.multiplier)) > 64) {
        most = Math.trunc(divide(64, Math.log2(this.multiplier)));
        throw this._refuse("cycles", this.cycles, `at most ${text(most)}, or the run would never end`);
      }
    }
    super.__post_init__();
  }
  get steps() {
    return (this.cycles === null ? null : this._until(this.cycles));
  }
  _factor(step) {
    let place, length;
    if (step === this.steps) {
      return this.end;
    }
    [place, length] = this._place(step);
    return (this.end + divide(((1 - this.end) * (1 + Math.cos(divide((3.141592653589793 * place), length)))), 2));
  }
  _place(step) {
    let length;
    if (this.multiplier === 1) {
      return [mod(step, this.period), this.period];
    }
    length = this.period;
    while (step >= length) {
      step = (step - length);
      length = (length * this.multiplier);
    }
    return [step, length];
  }
  _until(cycles) {
    if (this.multiplier === 1) {
      return (this.period * cycles);
    }
    return Math.trunc(floordiv((this.period * (power(this.multiplier, cycles) - 1)), (this.multiplier - 1)));
  }
  _shape_steps() {
    return this._until(4);
  }
}

class _Cyclical extends Schedule {
  static __name__ = "_Cyclical";
  static fields = [{ name: "up", kw_only: false }, { name: "down", default: null, kw_only: false }, { name: "low", default: 0.25, kw_only: false }, { name: "cycles", default: null, kw_only: false }, { name: "inverse", default: false, kw_only: true }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    this._whole("up");
    if (this.down !== null) {
      this._whole("down");
    }
    this._below_top("low");
    this._flag("inverse");
    if (this.cycles !== null) {
      this._whole("cycles");
    }
    super.__post_init__();
  }
  get steps() {
    return (this.cycles === null ? null : (this.cycles * this._length));
  }
  get _length() {
    return (this.up + (this.down === null ? this.up : this.down));
  }
  _factor(step) {
    let cycle, place, height;
    [cycle, place] = divmod(step, this._length);
    height = (place <= this.up ? divide(place, this.up) : divide((this._length - place), (this._length - this.up)));
    height = (height * this._scale(cycle, step));
    return (truth(this.inverse) ? (1 - ((1 - this.low) * height)) : (this.low + ((1 - this.low) * height)));
  }
  _scale(cycle, step) {
    throw new Error("not implemented");
  }
  _shape_steps() {
    return (4 * this._length);
  }
}

class triangular extends _Cyclical {
  static __name__ = "triangular";
  static fields = [{ name: "up", kw_only: false }, { name: "down", default: null, kw_only: false }, { name: "low", default: 0.25, kw_only: false }, { name: "cycles", default: null, kw_only: false }, { name: "inverse", default: false, kw_only: true }, { name: "after", default: "hold", kw_only: true }];
  _scale(cycle, step) {
    return 1.0;
  }
}

class triangular2 extends _Cyclical {
  static __name__ = "triangular2";
  static fields = [{ name: "up", kw_only: false }, { name: "down", default: null, kw_only: false }, { name: "low", default: 0.25, kw_only: false }, { name: "cycles", default: null, kw_only: false }, { name: "inverse", default: false, kw_only: true }, { name: "after", default: "hold", kw_only: true }];
  _scale(cycle, step) {
    return ldexp(1.0, (-Math.trunc(cycle)));
  }
}

class exp_range extends _Cyclical {
  static __name__ = "exp_range";
  static fields = [{ name: "up", kw_only: false }, { name: "down", default: null, kw_only: false }, { name: "low", default: 0.25, kw_only: false }, { name: "cycles", default: null, kw_only: false }, { name: "inverse", default: false, kw_only: true }, { name: "after", default: "hold", kw_only: true }, { name: "gamma", kw_only: true }];
  __post_init__() {
    this._real("gamma", 0, 1, { above: true });
    super.__post_init__();
  }
  _scale(cycle, step) {
    return power(this.gamma, step);
  }
}

class one_cycle extends Schedule {
  static __name__ = "one_cycle";
  static fields = [{ name: "steps", kw_only: false }, { name: "low", default: 0.04, kw_only: false }, { name: "end", default: null, kw_only: false }, { name: "rise", default: 0.3, kw_only: false }, { name: "curve", default: "cosine", kw_only: true }, { name: "three_phase", default: false, kw_only: true }, { name: "inverse", default: false, kw_only: true }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    super.__post_init__();
    this._below_top("low");
    if (this.end !== null) {
      this._real("end", 0, 1);
    }
    this._real("rise", 0, 1);
    this._flag("three_phase");
    this._flag("inverse");
    if (!contains(["cosine", "linear"], this.curve)) {
      throw this._refuse("curve", this.curve, "one of 'cosine', 'linear'");
    }
    if ((truth(this.three_phase) && this.rise > 0.5)) {
      throw new UserError(`one_cycle: rise is ${general(this.rise)}; with three_phase it must be at most 0.5, since the way down takes as long as the way up`);
    }
  }
  _factor(step) {
    let start, a, stop, b, part;
    for ([[start, a], [stop, b]] of pairwise(this._points())) {
      if (step <= stop) {
        part = (stop > start ? divide((step - start), (stop - start)) : 1.0);
        return call(_CURVES[this.curve], a, b, part);
      }
    }
    return this._points().at(-1)[1];
  }
  _points() {
    let edge, middle, end, points;
    [edge, middle] = (truth(this.inverse) ? [1.0, this.low] : [this.low, 1.0]);
    end = this.end;
    if (end === null) {
      end = (truth(this.inverse) ? 1.0 : divide(this.low, 10000.0));
    }
    points = [[0.0, edge], [((this.rise * this.steps) - 1), middle], [(this.steps - 1.0), end]];
    if (truth(this.three_phase)) {
      points.splice(2, 0, [(((2 * this.rise) * this.steps) - 2), edge]);
    }
    return points;
  }
}

class wsd extends Schedule {
  static __name__ = "wsd";
  static fields = [{ name: "warmup", kw_only: false }, { name: "stable", kw_only: false }, { name: "decay", kw_only: false }, { name: "end", default: 0.0, kw_only: false }, { name: "curve", default: "linear", kw_only: true }, { name: "after", default: "hold", kw_only: true }];
  __post_init__() {
    this._whole("warmup", 0);
    this._whole("stable", 0);
    this._whole("decay");
    this._real("end", 0, 1);
    if (!contains(["linear", "cosine", "1-sqrt"], this.curve)) {
      throw this._refuse("curve", this.curve, "one of 'linear', 'cosine', '1-sqrt'");
    }
    super.__post_init__();
  }
  get steps() {
    return ((this.warmup + this.stable) + this.decay);
  }
  _factor(step) {
    let part;
    if (step < this.warmup) {
      return divide(step, this.warmup);
    }
    part = Math.max(0.0, divide(((step - this.warmup) - this.stable), this.decay));
    return (this.end + ((1 - this.end) * call(_DECAYS[this.curve], part)));
  }
}

const clipped_norm = {
  name: "clipped_norm",
  doc: "The gradient scaled down to norm max_norm if it is longer.",
  tensors: ["p", "g"],
  scalars: ["total", "max_norm"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 1,
  sums: { total: square },
  constants(_s, _c) {
    const total = _s[0], max_norm = _s[1];
    const _0 = divide(max_norm, Math.max(max_norm, root(total)));
    _c[0] = _0;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0];
    const _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i];
      _out[_i] = g * _0;
    }
  },
  lines: [
    { name: null, tokens: [["g"], " * (", ["max_norm"], " / maximum(", ["max_norm"], ", sqrt(", ["total"], ")))"], value: ({ g, max_norm, total }) => g * (max_norm / Math.max(max_norm, Math.sqrt(total))) },
  ],
};

function _finite(totals) {
  let names;
  if (truth((names = totals.not_finite()))) {
    throw new FloatingPointError(`the gradient of ${text(join(", ", names.slice(0, 3)))} is infinite or NaN; lower the learning rate, or put guard(policy='skip') before clip_norm to skip such steps`);
  }
  return false;
}

const clipped_value = {
  name: "clipped_value",
  doc: "Each element within [-limit, limit].",
  tensors: ["p", "g"],
  scalars: ["limit"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 2,
  sums: {},
  constants(_s, _c) {
    const limit = _s[0];
    const _0 = -limit;
    const _1 = limit;
    _c[0] = _0;
    _c[1] = _1;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1];
    const _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i];
      _out[_i] = Math.min(Math.max(g, _0), _1);
    }
  },
  lines: [
    { name: null, tokens: ["minimum(maximum(", ["g"], ", -", ["limit"], "), ", ["limit"], ")"], value: ({ g, limit }) => Math.min(Math.max(g, -limit), limit) },
  ],
};

const penalized = {
  name: "penalized",
  doc: "The gradient of the loss plus l1 |p| + l2 p^2.",
  tensors: ["p", "g"],
  scalars: ["l1", "l2"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 2,
  sums: {},
  constants(_s, _c) {
    const l1 = _s[0], l2 = _s[1];
    const _0 = l1;
    const _1 = 2 * l2;
    _c[0] = _0;
    _c[1] = _1;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1];
    const _array0 = _tensors[0], _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i], g = _array1[_i];
      _out[_i] = g + _0 * Math.sign(p) + _1 * p;
    }
  },
  lines: [
    { name: null, tokens: [["g"], " + ", ["l1"], " * sign(", ["p"], ") + 2 * ", ["l2"], " * ", ["p"]], value: ({ g, l1, l2, p }) => g + l1 * Math.sign(p) + 2 * l2 * p },
  ],
};

function _strengths(owner, l1, l2) {
  check_value(owner, "l1", l1, "[0, inf)");
  check_value(owner, "l2", l2, "[0, inf)");
  return { l1: l1, l2: l2 };
}

const shrunk = {
  name: "shrunk",
  doc: "The proximal operator of lr (l1 |p| + l2 p^2).",
  tensors: ["p"],
  scalars: ["lr", "l1", "l2"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 3,
  sums: {},
  constants(_s, _c) {
    const lr = _s[0], l1 = _s[1], l2 = _s[2];
    const _0 = lr * l1;
    const _1 = 0;
    const _2 = 1 + 2 * lr * l2;
    _c[0] = _0;
    _c[1] = _1;
    _c[2] = _2;
  },
  run(_n, _tensors, _c, _out) {
    const _0 = _c[0], _1 = _c[1], _2 = _c[2];
    const _array0 = _tensors[0];
    for (let _i = 0; _i < _n; _i++) {
      let p = _array0[_i];
      _out[_i] = Math.sign(p) * Math.max(Math.abs(p) - _0, _1) / _2;
    }
  },
  lines: [
    { name: null, tokens: ["sign(", ["p"], ") * maximum(absolute(", ["p"], ") - ", ["lr"], " * ", ["l1"], ", 0) / (1 + 2 * ", ["lr"], " * ", ["l2"], ")"], value: ({ l1, l2, lr, p }) => Math.sign(p) * Math.max(Math.abs(p) - lr * l1, 0) / (1 + 2 * lr * l2) },
  ],
};

const count_not_finite = {
  name: "count_not_finite",
  doc: "Summed over all elements: how many are infinite or NaN.",
  tensors: ["p", "g"],
  scalars: [],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 2,
  sums: {},
  constants(_s, _c) {
    const _0 = 0;
    const _1 = 1;
    _c[0] = _0;
    _c[1] = _1;
  },
  total(_n, _tensors, _c) {
    const _0 = _c[0], _1 = _c[1];
    const _array1 = _tensors[1];
    let _sum = 0;
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i];
      _sum += Number.isFinite(g) ? _0 : _1;
    }
    return _sum;
  },
  lines: [
    { name: null, tokens: ["where(isfinite(", ["g"], "), 0, 1)"], value: ({ g }) => Number.isFinite(g) ? 0 : 1 },
  ],
};

const passed = {
  name: "passed",
  doc: "The gradient as it is: the guard only looks.",
  tensors: ["p", "g"],
  scalars: ["total"],
  states: {},
  buffers: [],
  numbers: [],
  newNumbers: [],
  over: "all",
  moves: false,
  size: 0,
  sums: { total: count_not_finite },
  constants(_s, _c) {
  },
  run(_n, _tensors, _c, _out) {
    const _array1 = _tensors[1];
    for (let _i = 0; _i < _n; _i++) {
      let g = _array1[_i];
      _out[_i] = g;
    }
  },
  lines: [
    { name: null, tokens: [["g"]], value: ({ g }) => g },
  ],
};

function _raise(totals) {
  let bad;
  if (totals.total > 0) {
    bad = Array.from(Object.entries(totals.by_name)).filter(([name, n]) => n > 0).map(([name, n]) => `${text(name)} (${text(Math.trunc(n))} elements)`);
    throw new FloatingPointError(`the gradient is infinite or NaN in ${text(join(", ", bad.slice(0, 3)))}; nothing was changed`);
  }
  return false;
}

function _skip(totals) {
  return totals.total > 0;
}

class Chain extends Schedule {
  static __name__ = "Chain";
  __init__(...schedules) {
    let parts, schedule, part;
    parts = [];
    for (schedule of schedules) {
      if (!(schedule instanceof Schedule)) {
        throw new UserError(`a schedule can only be followed by a schedule, not by ${repr(schedule)}`);
      }
      parts.push(...(schedule instanceof Chain ? schedule.parts : [schedule]));
    }
    for (part of parts.slice(0, -1)) {
      if ((part.steps === null || part.after === "repeat")) {
        throw new UserError(`${text(part)} has no end, so nothing can follow it; give steps, and no repeat`);
      }
    }
    this["parts"] = Array.from(parts);
  }
  get steps() {
    let last;
    last = this.parts.at(-1).steps;
    return (last === null ? null : (last + this._start_of_last()));
  }
  get after() {
    return this.parts.at(-1).after;
  }
  _inside(step) {
    return step;
  }
  _factor(step) {
    let part;
    for (part of this.parts.slice(0, -1)) {
      if (step < _length(part)) {
        return call(part, step);
      }
      step = (step - _length(part));
    }
    return call(this.parts.at(-1), step);
  }
  span() {
    return (this._start_of_last() + this.parts.at(-1).span());
  }
  _start_of_last() {
    return sum(Array.from(this.parts.slice(0, -1)).map((part) => _length(part)));
  }
  __repr__() {
    return join(" >> ", map(repr, this.parts));
  }
}

const _CURVES = { linear: (a, b, x) => (a + ((b - a) * x)), cosine: (a, b, x) => (b + (divide((a - b), 2) * (1 + Math.cos((3.141592653589793 * x))))) };

const _DECAYS = { linear: (x) => (1 - x), cosine: (x) => divide((1 + Math.cos((3.141592653589793 * x))), 2), "1-sqrt": (x) => (1 - root(x)) };

function _length(part) {
  if (part.steps === null) {
    throw new Error("only the last part may be endless");
  }
  return part.steps;
}

export const rules = { accumulate, adadelta, adagrad, adam, adam_hd, adamax, agreement, agreement_with_adam, alignment, amsgrad, ascend, asgd, average, clipped_norm, clipped_value, count_not_finite, coupled, decoupled, descend, gradient, heavy_ball, keep, lars, momentum_squared, nadam, nesterov, network, parameter_squared, passed, penalized, radam, rmsprop, rmsprop_centered, rprop, sgd_hd, shrunk, square, step_squared, trusted, uncorrected, unit, velocity };

export const optimizers = {
  Adadelta: {
    name: "Adadelta",
    doc: "AdaDelta: each parameter moves by the size of its own recent steps, with no learning rate to tune.",
    source: "Zeiler 2012, arXiv 1212.5701, algorithm 1.",
    options: [
      { name: "lr", default: 1.0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "rho", default: 0.9, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "eps", default: 1e-06, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 1.0, rho: 0.9, eps: 1e-06, weight_decay: 0, maximize: false },
    ahead: null,
    check({ lr, rho, eps, weight_decay, maximize }) {
    },
    algorithm(group) {
      return [adadelta, [COUPLED]];
    },
    states: null,
  },
  Adagrad: {
    name: "Adagrad",
    doc: "AdaGrad: each parameter's rate falls with the sum of its squared gradients.",
    source: "Duchi, Hazan & Singer 2011, Journal of Machine Learning Research 12, figure 1 (diagonal matrices).",
    options: [
      { name: "lr", default: 0.01, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "lr_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "initial_accumulator_value", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "eps", default: 1e-10, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.01, lr_decay: 0, eps: 1e-10, weight_decay: 0, initial_accumulator_value: 0, maximize: false },
    ahead: null,
    check({ lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize }) {
    },
    algorithm(group) {
      return [adagrad, [COUPLED]];
    },
    states(group, zeros) {
      let state;
      state = zeros;
      state.sum.fill(group.initial_accumulator_value);
      return state;
    },
  },
  Adam: {
    name: "Adam",
    doc: "Adam: momentum and a step size for each parameter, both corrected for their start at zero.",
    source: "Kingma & Ba 2015, arXiv 1412.6980, algorithm 1; Reddi et al. 2018, arXiv 1904.09237.",
    options: [
      { name: "lr", default: 0.001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "betas", default: [0.9, 0.999], required: false, kind: "pair", interval: "[0, 1) x [0, 1)", choices: null, members: ["beta1", "beta2"] },
      { name: "eps", default: 1e-08, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "amsgrad", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "decoupled_weight_decay", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.001, betas: [0.9, 0.999], eps: 1e-08, weight_decay: 0, amsgrad: false, maximize: false, decoupled_weight_decay: false },
    ahead: null,
    check({ lr, betas, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay }) {
    },
    algorithm(group) {
      let decay;
      decay = (truth(group.decoupled_weight_decay) ? DECOUPLED : COUPLED);
      return [(truth(group.amsgrad) ? amsgrad : adam), [decay]];
    },
    states: null,
  },
  Adamax: {
    name: "Adamax",
    doc: "AdaMax: Adam with the largest recent gradient, slowly forgotten, in place of the root mean square.",
    source: "Kingma & Ba 2015, arXiv 1412.6980, algorithm 2.",
    options: [
      { name: "lr", default: 0.002, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "betas", default: [0.9, 0.999], required: false, kind: "pair", interval: "[0, 1) x [0, 1)", choices: null, members: ["beta1", "beta2"] },
      { name: "eps", default: 1e-08, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.002, betas: [0.9, 0.999], eps: 1e-08, weight_decay: 0, maximize: false },
    ahead: null,
    check({ lr, betas, eps, weight_decay, maximize }) {
    },
    algorithm(group) {
      return [adamax, [COUPLED]];
    },
    states: null,
  },
  AdamHD: {
    name: "AdamHD",
    doc: "Adam-HD: Adam that moves its learning rate down the slope which the rate itself has.",
    source: "Baydin, Cornish, Martínez Rubio, Schmidt & Wood 2018, arXiv 1703.04782, Adam-HD.",
    options: [
      { name: "lr", default: 0.001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "betas", default: [0.9, 0.999], required: false, kind: "pair", interval: "[0, 1) x [0, 1)", choices: null, members: ["beta1", "beta2"] },
      { name: "eps", default: 1e-08, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "hypergrad_lr", default: 1e-08, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.001, betas: [0.9, 0.999], eps: 1e-08, hypergrad_lr: 1e-08, weight_decay: 0, maximize: false },
    ahead: null,
    check({ lr, betas, eps, hypergrad_lr, weight_decay, maximize }) {
    },
    algorithm(group) {
      return [adam_hd, [COUPLED]];
    },
    states: null,
  },
  AdamW: {
    name: "AdamW",
    doc: "Adam with decoupled weight decay: θ ← θ - η λ θ beside Adam's own step.",
    source: "Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2 (with torch's convention that η multiplies λ).",
    options: [
      { name: "lr", default: 0.001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "betas", default: [0.9, 0.999], required: false, kind: "pair", interval: "[0, 1) x [0, 1)", choices: null, members: ["beta1", "beta2"] },
      { name: "eps", default: 1e-08, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0.01, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "amsgrad", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.001, betas: [0.9, 0.999], eps: 1e-08, weight_decay: 0.01, amsgrad: false, maximize: false, decoupled_weight_decay: true },
    ahead: null,
    check({ lr, betas, eps, weight_decay, amsgrad, maximize }) {
    },
    algorithm(group) {
      let decay;
      decay = (truth(group.decoupled_weight_decay) ? DECOUPLED : COUPLED);
      return [(truth(group.amsgrad) ? amsgrad : adam), [decay]];
    },
    states: null,
  },
  ASGD: {
    name: "ASGD",
    doc: "ASGD: stochastic gradient descent whose result is the average of its late iterates.",
    source: "Polyak & Juditsky 1992, SIAM Journal on Control and Optimization 30; the rates are those of Bottou 2010, Large-Scale Machine Learning with Stochastic Gradient Descent.",
    options: [
      { name: "lr", default: 0.01, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "lambd", default: 0.0001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "alpha", default: 0.75, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "t0", default: 1000000.0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.01, lambd: 0.0001, alpha: 0.75, t0: 1000000.0, weight_decay: 0, maximize: false },
    ahead: null,
    check({ lr, lambd, alpha, t0, weight_decay, maximize }) {
    },
    algorithm(group) {
      return [asgd, [COUPLED]];
    },
    states(group, zeros) {
      let state;
      state = zeros;
      state.eta.fill(float(group.lr));
      state.mu.fill(1.0);
      return state;
    },
  },
  LAMB: {
    name: "LAMB",
    doc: "LAMB: AdamW whose step in each tensor has the tensor's length, for large batches.",
    source: "You et al. 2020, arXiv 1904.00962, algorithm 2.",
    options: [
      { name: "lr", default: 0.001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "betas", default: [0.9, 0.999], required: false, kind: "pair", interval: "[0, 1) x [0, 1)", choices: null, members: ["beta1", "beta2"] },
      { name: "eps", default: 1e-06, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0.01, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "bounds", default: [0.0, Infinity], required: false, kind: "pair", interval: "[0, inf) x (0, inf]", choices: null, members: ["bound1", "bound2"] },
      { name: "bias_correction", default: true, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "adapt", default: true, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.001, betas: [0.9, 0.999], eps: 1e-06, weight_decay: 0.01, bounds: [0.0, Infinity], bias_correction: true, adapt: true, maximize: false },
    ahead: null,
    check({ lr, betas, eps, weight_decay, bounds, bias_correction, adapt, maximize }) {
    },
    algorithm(group) {
      let own;
      check_order("LAMB", "bounds", group.bounds);
      own = (truth(group.adapt) ? [DECOUPLED, TRUST_RATIO] : [DECOUPLED]);
      return [(truth(group.bias_correction) ? adam : uncorrected), own];
    },
    states: null,
  },
  LARS: {
    name: "LARS",
    doc: "LARS: momentum whose rate in each tensor is proportional to the tensor's length, for large batches.",
    source: "You, Gitman & Ginsburg 2017, arXiv 1708.03888, algorithm 1.",
    options: [
      { name: "lr", default: 1.0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "momentum", default: 0.9, required: false, kind: "number", interval: "[0, 1)", choices: null, members: null },
      { name: "weight_decay", default: 0.0005, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "trust_coefficient", default: 0.001, required: false, kind: "number", interval: "(0, inf)", choices: null, members: null },
      { name: "adapt", default: true, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 1.0, momentum: 0.9, weight_decay: 0.0005, trust_coefficient: 0.001, adapt: true, maximize: false },
    ahead: null,
    check({ lr, momentum, weight_decay, trust_coefficient, adapt, maximize }) {
    },
    algorithm(group) {
      return (truth(group.adapt) ? [lars, []] : [velocity, [COUPLED]]);
    },
    states: null,
  },
  Learned: {
    name: "Learned",
    doc: "A learned optimizer: a small network moves each element; its weights were trained to train.",
    source: "",
    options: [
      { name: "lr", default: 1.0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 1.0, weight_decay: 0, maximize: false, network: "cb3de024" },
    ahead: null,
    check({ lr, weight_decay, maximize }) {
    },
    algorithm(group) {
      if (group.network !== "cb3de024") {
        throw new UserError(`Learned: the checkpoint belongs to the network ${text(group.network)}, this version of thalweg has ${text("cb3de024")}; go on with the version that began the run`);
      }
      return [gradient, [_NETWORK, DECOUPLED]];
    },
    states: null,
  },
  Momentum: {
    name: "Momentum",
    doc: "Gradient descent with momentum, in one of the three conventions that the literature uses.",
    source: "\"sum\" is Sutskever et al. 2013 as torch and the first source document write it; \"velocity\" is Polyak 1964 as the same paper's equations 1-2 write it; \"average\" is the fifth source document's.",
    options: [
      { name: "lr", default: 0.001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "momentum", default: 0.9, required: false, kind: "number", interval: "[0, 1)", choices: null, members: null },
      { name: "convention", default: "sum", required: false, kind: "choice", interval: null, choices: ["sum", "average", "velocity"], members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.001, momentum: 0.9, convention: "sum", weight_decay: 0, maximize: false },
    ahead: null,
    check({ lr, momentum, convention, weight_decay, maximize }) {
    },
    algorithm(group) {
      if (!contains(_CONVENTIONS, group.convention)) {
        throw new UserError(`Momentum: convention must be one of ${text(join(", ", _CONVENTIONS))}, got ${repr(group.convention)}`);
      }
      return [_CONVENTIONS[group.convention], [COUPLED]];
    },
    states: null,
  },
  NAdam: {
    name: "NAdam",
    doc: "NAdam: Adam that looks ahead with its momentum as Nesterov's method does.",
    source: "Dozat 2016, Incorporating Nesterov Momentum into Adam, algorithm 2.",
    options: [
      { name: "lr", default: 0.002, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "betas", default: [0.9, 0.999], required: false, kind: "pair", interval: "[0, 1) x [0, 1)", choices: null, members: ["beta1", "beta2"] },
      { name: "eps", default: 1e-08, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "momentum_decay", default: 0.004, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "decoupled_weight_decay", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.002, betas: [0.9, 0.999], eps: 1e-08, weight_decay: 0, momentum_decay: 0.004, decoupled_weight_decay: false, maximize: false },
    ahead: null,
    check({ lr, betas, eps, weight_decay, momentum_decay, decoupled_weight_decay, maximize }) {
    },
    algorithm(group) {
      return [nadam, [(truth(group.decoupled_weight_decay) ? DECOUPLED : COUPLED)]];
    },
    states(group, zeros) {
      let state;
      state = zeros;
      state.mu_product.fill(1.0);
      return state;
    },
  },
  Nesterov: {
    name: "Nesterov",
    doc: "Nesterov's accelerated gradient with its true look-ahead.",
    source: "Nesterov 1983; Sutskever, Martens, Dahl & Hinton 2013, equations 3-4.",
    options: [
      { name: "lr", default: 0.001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "momentum", default: 0.9, required: false, kind: "number", interval: "[0, 1)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.001, momentum: 0.9, weight_decay: 0, maximize: false },
    ahead: { state: "velocity", factor: "momentum" },
    check({ lr, momentum, weight_decay, maximize }) {
    },
    algorithm(group) {
      return [velocity, [COUPLED]];
    },
    states: null,
  },
  RAdam: {
    name: "RAdam",
    doc: "RAdam: Adam that waits until its step sizes can be trusted, and then trusts them by degrees.",
    source: "Liu et al. 2020, arXiv 1908.03265, algorithm 2.",
    options: [
      { name: "lr", default: 0.001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "betas", default: [0.9, 0.999], required: false, kind: "pair", interval: "[0, 1) x [0, 1)", choices: null, members: ["beta1", "beta2"] },
      { name: "eps", default: 1e-08, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "decoupled_weight_decay", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.001, betas: [0.9, 0.999], eps: 1e-08, weight_decay: 0, maximize: false, decoupled_weight_decay: false },
    ahead: null,
    check({ lr, betas, eps, weight_decay, decoupled_weight_decay, maximize }) {
    },
    algorithm(group) {
      return [radam, [(truth(group.decoupled_weight_decay) ? DECOUPLED : COUPLED)]];
    },
    states: null,
  },
  RMSprop: {
    name: "RMSprop",
    doc: "RMSprop: each parameter's step is divided by the recent size of its gradient.",
    source: "Tieleman & Hinton 2012, Coursera lecture 6e; Graves 2013, arXiv 1308.0850, equations 38-40.",
    options: [
      { name: "lr", default: 0.01, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "alpha", default: 0.99, required: false, kind: "number", interval: "[0, 1)", choices: null, members: null },
      { name: "eps", default: 1e-08, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "momentum", default: 0, required: false, kind: "number", interval: "[0, 1)", choices: null, members: null },
      { name: "centered", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.01, momentum: 0, alpha: 0.99, eps: 1e-08, centered: false, weight_decay: 0, maximize: false },
    ahead: null,
    check({ lr, alpha, eps, weight_decay, momentum, centered, maximize }) {
    },
    algorithm(group) {
      let momentum;
      momentum = (group.momentum > 0 ? [_MOMENTUM] : []);
      return [(truth(group.centered) ? rmsprop_centered : rmsprop), [COUPLED, ...momentum]];
    },
    states: null,
  },
  Rprop: {
    name: "Rprop",
    doc: "Rprop: each parameter moves by a step size of its own, against the sign of its gradient.",
    source: "Riedmiller & Braun 1993, IEEE International Conference on Neural Networks; this variant is iRprop⁻ of Igel & Hüsken 2000.",
    options: [
      { name: "lr", default: 0.01, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "etas", default: [0.5, 1.2], required: false, kind: "pair", interval: "(0, 1) x (1, inf)", choices: null, members: ["eta1", "eta2"] },
      { name: "step_sizes", default: [1e-06, 50], required: false, kind: "pair", interval: "[0, inf) x [0, inf)", choices: null, members: ["step_size1", "step_size2"] },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.01, etas: [0.5, 1.2], step_sizes: [1e-06, 50], maximize: false },
    ahead: null,
    check({ lr, etas, step_sizes, maximize }) {
    },
    algorithm(group) {
      check_order("Rprop", "step_sizes", group.step_sizes);
      return [rprop, []];
    },
    states(group, zeros) {
      let state;
      state = zeros;
      state.step_size.fill(float(group.lr));
      return state;
    },
  },
  SGD: {
    name: "SGD",
    doc: "Stochastic gradient descent.",
    source: "Polyak 1964; Sutskever, Martens, Dahl & Hinton 2013, section 2. Other conventions of momentum: Momentum.",
    options: [
      { name: "lr", default: 0.001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "momentum", default: 0, required: false, kind: "number", interval: "[0, 1)", choices: null, members: null },
      { name: "dampening", default: 0, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "nesterov", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.001, momentum: 0, dampening: 0, weight_decay: 0, nesterov: false, maximize: false },
    ahead: null,
    check({ lr, momentum, dampening, weight_decay, nesterov, maximize }) {
      let defaults;
      if ((truth(nesterov) && (momentum === 0 || dampening !== 0))) {
        throw new UserError(`SGD: nesterov needs momentum > 0 and dampening 0, got ${text(momentum)} and ${text(dampening)}`);
      }
    },
    algorithm(group) {
      if (group.momentum === 0) {
        return [gradient, [COUPLED]];
      }
      return [(truth(group.nesterov) ? nesterov : heavy_ball), [COUPLED]];
    },
    states: null,
  },
  SGDHD: {
    name: "SGDHD",
    doc: "SGD-HD: gradient descent that moves its learning rate down the slope which the rate itself has.",
    source: "Baydin, Cornish, Martínez Rubio, Schmidt & Wood 2018, arXiv 1703.04782, SGD-HD, in its additive form.",
    options: [
      { name: "lr", default: 0.001, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "hypergrad_lr", default: 1e-06, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "weight_decay", default: 0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "maximize", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
    ],
    group: { lr: 0.001, hypergrad_lr: 1e-06, weight_decay: 0, maximize: false },
    ahead: null,
    check({ lr, hypergrad_lr, weight_decay, maximize }) {
    },
    algorithm(group) {
      return [sgd_hd, [COUPLED]];
    },
    states: null,
  },
};

export const transforms = {
  clip_norm: {
    name: "clip_norm",
    doc: "Scale the whole gradient down if its norm is above a threshold: g <- g · c / max(c, ‖g‖).",
    source: "Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, algorithm 1. torch.nn.utils.clip_grad_norm_ divides by ‖g‖ + 1e-6 instead, which leaves the norm a little under c.",
    on: "grad",
    example: { max_norm: 1.0 },
    arguments: [
      { name: "max_norm", default: null, required: true, kind: "number", interval: "(0, inf)", choices: null, members: null },
    ],
    make: ({ max_norm }) => clip_norm(max_norm),
  },
  clip_value: {
    name: "clip_value",
    doc: "Clamp each element of the gradient: g <- min(max(g, -limit), limit).",
    source: "torch.nn.utils.clip_grad_value_.",
    on: "grad",
    example: { limit: 1.0 },
    arguments: [
      { name: "limit", default: null, required: true, kind: "number", interval: "(0, inf)", choices: null, members: null },
    ],
    make: ({ limit }) => clip_value(limit),
  },
  coupled_decay: {
    name: "coupled_decay",
    doc: "L2 regularization: g <- g + λ p, before the algorithm sees the gradient.",
    source: "",
    on: "grad",
    example: { weight_decay: 0.01 },
    arguments: [
      { name: "weight_decay", default: null, required: true, kind: "number", interval: "[0, inf)", choices: null, members: null },
    ],
    make: ({ weight_decay }) => coupled_decay(weight_decay),
  },
  decoupled_decay: {
    name: "decoupled_decay",
    doc: "Decoupled weight decay: p <- p - η (step + λ p).",
    source: "Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2, line 12 (with torch's convention that the learning rate η multiplies λ).",
    on: "step",
    example: { weight_decay: 0.01 },
    arguments: [
      { name: "weight_decay", default: null, required: true, kind: "number", interval: "[0, inf)", choices: null, members: null },
    ],
    make: ({ weight_decay }) => decoupled_decay(weight_decay),
  },
  elastic_net_penalty: {
    name: "elastic_net_penalty",
    doc: "Elastic net as a subgradient: g <- g + λ₁ sign(p) + 2 λ₂ p, the gradient of Σ λ₁|p| + λ₂p².",
    source: "",
    on: "grad",
    example: { l1: 0.1, l2: 0.05 },
    arguments: [
      { name: "l1", default: null, required: true, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "l2", default: null, required: true, kind: "number", interval: "[0, inf)", choices: null, members: null },
    ],
    make: ({ l1, l2 }) => elastic_net_penalty(l1, l2),
  },
  elastic_net_prox: {
    name: "elastic_net_prox",
    doc: "Elastic net as a proximal step: p <- sign(p) · max(|p| - ηλ₁, 0) / (1 + 2ηλ₂) after each update.",
    source: "Parikh & Boyd 2014, Proximal Algorithms, section 6.5.3.",
    on: "param",
    example: { l1: 0.1, l2: 0.05 },
    arguments: [
      { name: "l1", default: null, required: true, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "l2", default: null, required: true, kind: "number", interval: "[0, inf)", choices: null, members: null },
    ],
    make: ({ l1, l2 }) => elastic_net_prox(l1, l2),
  },
  guard: {
    name: "guard",
    doc: "Stop a gradient with an infinity or a NaN before it reaches any parameter or state.",
    source: "",
    on: "grad",
    example: { policy: "skip" },
    arguments: [
      { name: "policy", default: "raise", required: false, kind: "choice", interval: null, choices: ["raise", "skip"], members: null },
    ],
    make: ({ policy }) => guard(policy),
  },
  l1_penalty: {
    name: "l1_penalty",
    doc: "L1 (lasso) as a subgradient: g <- g + λ sign(p), the gradient of λ Σ|p|.",
    source: "",
    on: "grad",
    example: { l1: 0.1 },
    arguments: [
      { name: "l1", default: null, required: true, kind: "number", interval: "[0, inf)", choices: null, members: null },
    ],
    make: ({ l1 }) => l1_penalty(l1),
  },
  l1_prox: {
    name: "l1_prox",
    doc: "L1 as a proximal step: p <- sign(p) · max(|p| - ηλ, 0) after each update (soft-thresholding).",
    source: "Parikh & Boyd 2014, Proximal Algorithms, section 6.5.2; Daubechies, Defrise & De Mol 2004, arXiv math/0307152 (ISTA).",
    on: "param",
    example: { l1: 0.1 },
    arguments: [
      { name: "l1", default: null, required: true, kind: "number", interval: "[0, inf)", choices: null, members: null },
    ],
    make: ({ l1 }) => l1_prox(l1),
  },
  trust_ratio: {
    name: "trust_ratio",
    doc: "Give each tensor's step the length of the tensor: step <- step · φ(‖p‖) / ‖step‖.",
    source: "You, Gitman & Ginsburg 2017, arXiv 1708.03888; the form with φ is You et al. 2020, arXiv 1904.00962, algorithm 2.",
    on: "step",
    example: {},
    arguments: [
      { name: "bounds", default: [0.0, Infinity], required: false, kind: "pair", interval: "[0, inf) x (0, inf]", choices: null, members: ["bound1", "bound2"] },
    ],
    make: ({ bounds }) => trust_ratio(bounds),
  },
};

export const schedules = {
  constant: {
    name: "constant",
    doc: "The same factor at every step: f(s) = factor.",
    source: "",
    example: {},
    arguments: [
      { name: "steps", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "factor", default: 1.0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(constant, options),
  },
  step: {
    name: "step",
    doc: "Multiply by gamma every size steps: f(s) = gamma ** floor(s / size).",
    source: "",
    example: { size: 50 },
    arguments: [
      { name: "size", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "gamma", default: 0.1, required: false, kind: "number", interval: "(0, inf)", choices: null, members: null },
      { name: "steps", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(step, options),
  },
  multistep: {
    name: "multistep",
    doc: "Multiply by gamma at each milestone: f(s) = gamma ** (number of milestones <= s).",
    source: "",
    example: { milestones: [50, 100, 150] },
    arguments: [
      { name: "milestones", default: null, required: true, kind: "integers", interval: null, choices: null, members: null },
      { name: "gamma", default: 0.1, required: false, kind: "number", interval: "(0, inf)", choices: null, members: null },
      { name: "steps", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(multistep, options),
  },
  exponential: {
    name: "exponential",
    doc: "Multiply by gamma at every step: f(s) = gamma ** s.",
    source: "",
    example: { gamma: 0.98 },
    arguments: [
      { name: "gamma", default: null, required: true, kind: "number", interval: "(0, 1]", choices: null, members: null },
      { name: "steps", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(exponential, options),
  },
  linear: {
    name: "linear",
    doc: "A straight line: f(s) = start + (end - start) * s / n.",
    source: "",
    example: { steps: 200 },
    arguments: [
      { name: "steps", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "start", default: 1.0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "end", default: 0.0, required: false, kind: "number", interval: "[0, inf)", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(linear, options),
  },
  warmup: {
    name: "warmup",
    doc: "Rise in a straight line to 1: f(s) = start + (1 - start) * s / n.",
    source: "the gradual warm-up of Goyal et al. 2017 (arXiv 1706.02677, section 2.2), which starts at one over the factor by which the batch was enlarged; Vaswani et al. 2017 (arXiv 1706.03762, section 5.3) start at 0.",
    example: { steps: 20 },
    arguments: [
      { name: "steps", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "start", default: 0.0, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(warmup, options),
  },
  polynomial: {
    name: "polynomial",
    doc: "Fall along a power of what is left: f(s) = end + (1 - end) * (1 - s / n) ** power.",
    source: "Chen et al. 2018 (DeepLab, arXiv 1606.00915, section 4.1, the \"poly\" policy, power 0.9).",
    example: { steps: 200, power: 2.0 },
    arguments: [
      { name: "steps", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "power", default: null, required: true, kind: "number", interval: "(0, inf)", choices: null, members: null },
      { name: "end", default: 0.0, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(polynomial, options),
  },
  cosine: {
    name: "cosine",
    doc: "Fall along half a cosine: f(s) = end + (1 - end) * (1 + cos(pi * s / n)) / 2.",
    source: "Loshchilov and Hutter 2017 (SGDR, arXiv 1608.03983, equation 5).",
    example: { steps: 200 },
    arguments: [
      { name: "steps", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "end", default: 0.0, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(cosine, options),
  },
  inverse_sqrt: {
    name: "inverse_sqrt",
    doc: "Fall with the inverse square root: f(s) = sqrt(scale / (scale + s)).",
    source: "Vaswani et al. 2017 (arXiv 1706.03762, equation 3): warmup(w) >> inverse_sqrt(w) is their min(t ** -0.5, t * w ** -1.5), divided by its peak w ** -0.5.",
    example: { scale: 10 },
    arguments: [
      { name: "scale", default: 1, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "steps", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(inverse_sqrt, options),
  },
  cosine_restarts: {
    name: "cosine_restarts",
    doc: "A cosine that starts again: f(s) = end + (1 - end) * (1 + cos(pi * t / n)) / 2.",
    source: "Loshchilov and Hutter 2017 (SGDR, arXiv 1608.03983, equation 5). Snapshot ensembles (Huang et al. 2017, arXiv 1704.00109, equation 2) use cycles of equal length; see SnapshotEnsemble.",
    example: { period: 50 },
    arguments: [
      { name: "period", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "multiplier", default: 1, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "end", default: 0.0, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "cycles", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(cosine_restarts, options),
  },
  triangular: {
    name: "triangular",
    doc: "A triangle that repeats: f(s) = low + (1 - low) * h(s).",
    source: "Smith 2017 (arXiv 1506.01186, section 3.1).",
    example: { up: 25 },
    arguments: [
      { name: "up", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "down", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "low", default: 0.25, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "cycles", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "inverse", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(triangular, options),
  },
  triangular2: {
    name: "triangular2",
    doc: "A triangle half as high in each cycle: f(s) = low + (1 - low) * h(s) / 2 ** c.",
    source: "Smith 2017 (arXiv 1506.01186, section 3.1).",
    example: { up: 25 },
    arguments: [
      { name: "up", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "down", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "low", default: 0.25, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "cycles", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "inverse", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(triangular2, options),
  },
  exp_range: {
    name: "exp_range",
    doc: "A triangle that shrinks with every step: f(s) = low + (1 - low) * h(s) * gamma ** s.",
    source: "Smith 2017 (arXiv 1506.01186, section 3.1).",
    example: { up: 25, gamma: 0.99 },
    arguments: [
      { name: "up", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "down", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "low", default: 0.25, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "cycles", default: null, required: false, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "inverse", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
      { name: "gamma", default: null, required: true, kind: "number", interval: "(0, 1]", choices: null, members: null },
    ],
    make: (options) => record(exp_range, options),
  },
  one_cycle: {
    name: "one_cycle",
    doc: "Up from low to 1 and down to end, once: the 1cycle policy.",
    source: "Smith and Topin 2017 (Super-Convergence, arXiv 1708.07120); the momentum in Smith 2018 (arXiv 1803.09820, section 4.3). Their own shape is curve=\"linear\", three_phase=True with rise just under a half; the cosine in two phases, the default here, is that of the fastai library.",
    example: { steps: 200 },
    arguments: [
      { name: "steps", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "low", default: 0.04, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "end", default: null, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "rise", default: 0.3, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "curve", default: "cosine", required: false, kind: "choice", interval: null, choices: ["cosine", "linear"], members: null },
      { name: "three_phase", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "inverse", default: false, required: false, kind: "boolean", interval: null, choices: null, members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(one_cycle, options),
  },
  wsd: {
    name: "wsd",
    doc: "Warm-up, stable, decay: a rise to 1, a long level stretch, and a fall to end.",
    source: "Hu et al. 2024 (MiniCPM, arXiv 2404.06395, section 4.2), with a decay of a tenth of the run; their own decay, d = 0.5 ** (steps / T), is warmup(100) >> constant(700) >> exponential(0.5 ** (1 / T), 200). Hägele et al. 2024 (arXiv 2405.18392, section 3) compare the curves and find 1-sqrt best, over a fifth of the run.",
    example: { warmup: 20, stable: 120, decay: 60 },
    arguments: [
      { name: "warmup", default: null, required: true, kind: "integer", interval: "[0, inf)", choices: null, members: null },
      { name: "stable", default: null, required: true, kind: "integer", interval: "[0, inf)", choices: null, members: null },
      { name: "decay", default: null, required: true, kind: "integer", interval: "[1, inf)", choices: null, members: null },
      { name: "end", default: 0.0, required: false, kind: "number", interval: "[0, 1]", choices: null, members: null },
      { name: "curve", default: "linear", required: false, kind: "choice", interval: null, choices: ["linear", "cosine", "1-sqrt"], members: null },
      { name: "after", default: "hold", required: false, kind: "choice", interval: null, choices: ["hold", "repeat", "error"], members: null },
    ],
    make: (options) => record(wsd, options),
  },
};

export const exampleSteps = 200;
