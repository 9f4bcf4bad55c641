import { atFairRate } from "../race/rate.js";
import { createSurface, surfaces } from "../surfaces/index.js";
import { h, rebuild } from "./dom.js";
import { numberField, selectField, selectOf, textField } from "./fields.js";

const FORMULA = "formula";
const SLICE = "slice";

/**
 * The surface that is raced on: which, with which parameters, or a formula.
 *
 * @param {import("../app.js").App} app
 * @param {{ say: (sentence: string, undoable: boolean) => void }} actions
 * @returns {HTMLElement}
 */
export function surfacePicker(app, actions) {
  const select = selectOf(groups(app), {
    "aria-label": "Surface",
    "data-field": "surface",
    onchange: () => choose(app, actions, select.value),
  });
  const place = h("div", { class: "parameters" });
  let fields = [];
  let built = "";
  const update = () => {
    const { id } = app.state.surface;
    select.value = id;
    if (id !== built) rebuild(place, () => (fields = fieldsOf(app, id)).map((field) => field.element));
    built = id;
    for (const field of fields) field.update();
  };
  const offer = () => {
    select.replaceChildren(...selectOf(groups(app)).children);
    built = "";
    update();
  };
  app.on("state", update);
  app.on("slices", offer);
  update();
  const element = h("div", { class: "surface-picker" }, select, place);
  return element;
}

/** The menu, in the groups of the surfaces; a measured one only where there is one. */
function groups(app) {
  const offered = surfaces.filter(({ id }) => id !== SLICE || app.slices.length);
  const names = [...new Set(offered.map(({ group }) => group))];
  const members = (group) => offered.filter((one) => one.group === group).map(({ id, label }) => [id, label]);
  return names.map((group) => ({ group, options: members(group) }));
}

/** Another surface begins where it is interesting, with the same racers at rates that work there. */
function choose(app, actions, id) {
  const formula = surfaces.find((one) => one.id === id).example ?? "";
  const surface = createSurface(id, {}, { slices: app.slices, formula });
  const { racers, steps } = app.state;
  const start = [...surface.start];
  const rated = racers.map((racer) => atFairRate(racer, surface, start, steps));
  app.set({ surface: { id, parameters: {}, formula }, start, racers: rated, lesson: null, playhead: null });
  if (racers.length) actions.say("Each racer has a rate that works here; tune to find its best.", true);
}

function fieldsOf(app, id) {
  if (id === SLICE) return app.slices.length > 1 ? [sliceField(app)] : [];
  const family = surfaces.find((one) => one.id === id);
  const fields = family.parameters.map((parameter) => parameterField(app, parameter));
  return id === FORMULA ? [formulaField(app), ...fields] : fields;
}

function parameterField(app, { name, label, default: usual, min, max, scale, integer }) {
  const change = (value) => {
    const { surface } = app.state;
    app.set({ surface: { ...surface, parameters: { ...surface.parameters, [name]: value } } });
  };
  const made = numberField({
    label,
    field: `surface.${name}`,
    kind: scale,
    min,
    max,
    integer,
    interval: `[${min}, ${max}]`,
    onchange: change,
  });
  return { element: made.element, update: () => made.update(app.state.surface.parameters[name] ?? usual) };
}

/** Which of the measured slices; each begins where its own training does. */
function sliceField(app) {
  const options = app.slices.map(({ title }, i) => [String(i), title || `slice ${i + 1}`]);
  const change = (value) => {
    const parameters = { index: Number(value) };
    const { start } = createSurface(SLICE, parameters, { slices: app.slices });
    app.set({ surface: { id: SLICE, parameters, formula: "" }, start, lesson: null, playhead: null });
  };
  const made = selectField({ label: "Which slice", field: "surface.index", options, onchange: change });
  return {
    element: made.element,
    update: () => made.update(String(Math.min(app.state.surface.parameters.index ?? 0, options.length - 1))),
  };
}

function formulaField(app) {
  const change = (formula) => app.set({ surface: { ...app.state.surface, formula } });
  const made = textField({ label: "f(x, y) =", field: "formula", oninput: change });
  return {
    element: made.element,
    update: () => made.update(app.state.surface.formula, app.surfaceProblem?.message),
  };
}
