// A form from a JSON Schema of flat parameters: label and hint from title and description, a control for each type, errors
// beside the field. What is not changed is not sent.
import { h, icon, uid } from "./dom.js";
import { capital } from "./format.js";
import { t } from "./language.js";

const typeOf = (p) => [p.type].flat().find((type) => type !== "null") || "string";
const isNone = (v) => v === "" || v === null || v === undefined;

// The comment of the notebook without what the control already says.
const hintOf = (p, isSelect) =>
  capital(
    (p.description || "")
      .replace(/,? ?\(?YYYY-MM-DD\)?/g, "")
      .replace(/[,;]? ?\bone of: [^;]*/g, "")
      .replace(isSelect ? /;? ?\bempty: [^;]*/g : /$^/, "")
      .replace(/^[;, ]+/, ""),
  );
const emptyWord = (p) => capital(t((p.description || "").match(/empty: ([^;]+)/)?.[1] || t("not given")));

// What a value must be, in words.
export function wanted(p) {
  const whole = typeOf(p) === "integer" ? t("a whole number") : t("a number"),
    { minimum: low, maximum: high } = p;
  if (p.format === "date") return t("a day that exists");
  if (!["integer", "number"].includes(typeOf(p))) return t("another value");
  if (low !== undefined && high !== undefined)
    return t("{number} from {low} to {high}", { number: whole, low, high });
  if (low !== undefined) return t("{number}, {low} or more", { number: whole, low });
  return high !== undefined ? t("{number}, {high} or less", { number: whole, high }) : whole;
}

function control(p, name, id, about, options, value) {
  const type = typeOf(p),
    common = { id, name, "aria-describedby": about };
  if (options) {
    const all = options.map((v) => (isNone(v) ? ["", emptyWord(p)] : [String(v), String(v)]));
    if (!all.some(([v]) => v === String(value ?? "")))
      all.unshift([String(value ?? ""), String(value ?? "")]);
    return h(
      "select",
      common,
      all.map(([v, text]) => h("option", { value: v, selected: v === String(value ?? "") }, text)),
    );
  }
  if (type === "boolean") return h("input", { ...common, type: "checkbox", checked: Boolean(value) });
  if (type === "integer" || type === "number")
    return h("input", {
      ...common,
      type: "number",
      inputmode: type === "integer" ? "numeric" : "decimal",
      min: p.minimum,
      max: p.maximum,
      step: type === "integer" ? 1 : "any",
      value: value ?? "",
    });
  if (type === "array")
    return h("textarea", { ...common, rows: 3, value: (value || []).map(written).join("\n") });
  if (type === "object") return h("textarea", { ...common, rows: 3, value: JSON.stringify(value ?? {}) });
  return h("input", {
    ...common,
    type: p.format === "date" ? "date" : "text",
    value: value ?? "",
    autocomplete: "off",
  });
}
const written = (v) => (typeof v === "string" ? v : JSON.stringify(v));

// The value as it is sent; undefined: leave it to the notebook.
function read(p, el) {
  const type = typeOf(p);
  if (type === "boolean") return el.checked;
  if (el.tagName === "TEXTAREA") {
    if (type === "array") return el.value.split("\n").filter((line) => line.trim());
    try {
      return JSON.parse(el.value);
    } catch {
      return el.value;
    }
  }
  if (el.value === "") return isNone(p.default) ? undefined : type === "string" && !p.format ? "" : undefined;
  return type === "integer" || type === "number" ? Number(el.value) : el.value;
}
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// options: {name: [values]} for parameters whose values the shop knows; start: {name: value} taken over from elsewhere.
export function schemaForm(schema, { options = {}, start = {}, onchange = () => {} } = {}) {
  const fields = {};
  for (const [name, p] of Object.entries(schema.properties || {})) {
    const id = uid("field"),
      known = options[name]?.length ? ["", ...options[name]] : p.enum;
    const el = control(p, name, id, `${id}-hint ${id}-error`, known, start[name] ?? p.default);
    const hint = h("p", { class: "caption", id: `${id}-hint` }, t(hintOf(p, el.tagName === "SELECT"))),
      error = h("p", { class: "field-error", id: `${id}-error` });
    const label = h("label", { for: id }, t(p.title || name)),
      row = h(
        "div",
        { class: `field field-${typeOf(p)}` },
        typeOf(p) === "boolean" ? h("div", { class: "field-check" }, el, label) : [label, el],
        hint,
        error,
      );
    const field = (fields[name] = { p, el, error, row });
    el.addEventListener("input", () => {
      tell(field, "");
      onchange(name);
    });
  }
  function tell(field, text) {
    field.error.replaceChildren(...(text ? [icon("failed"), ` ${text}`] : []));
    if (text) field.el.setAttribute("aria-invalid", "true");
    else field.el.removeAttribute("aria-invalid");
  }
  return {
    el: h(
      "div",
      { class: "fields" },
      Object.values(fields).map((f) => f.row),
    ),
    fields,
    // What differs from the notebook's own values.
    values() {
      const out = {};
      for (const [name, { p, el }] of Object.entries(fields)) {
        const value = read(p, el);
        if (value !== undefined && !same(value, p.default) && !(p.default === null && value === ""))
          out[name] = value;
      }
      return out;
    },
    // Say each error beside its field and go to the first; returns what has no field here.
    show(errors) {
      for (const f of Object.values(fields)) tell(f, "");
      for (const e of errors.filter((e) => fields[e.field])) tell(fields[e.field], e.message);
      const first = Object.values(fields).find((f) => f.el.getAttribute("aria-invalid"));
      first?.row.closest("details")?.setAttribute("open", "");
      first?.el.focus();
      return errors.filter((e) => !fields[e.field]).map((e) => e.message);
    },
    // What the browser can tell before anything is sent.
    faults: () =>
      Object.entries(fields)
        .filter(([, { el }]) => !el.validity.valid)
        .map(([field, { p }]) => ({ field, message: `${capital(wanted(p))}.` })),
    // A select gets other values, for example the regions of another shop.
    refill(name, values) {
      const f = fields[name];
      if (f?.el.tagName !== "SELECT") return;
      const kept = values.includes(f.el.value) ? f.el.value : "";
      f.el.replaceChildren(
        ...["", ...values].map((v) => h("option", { value: v, selected: v === kept }, v || emptyWord(f.p))),
      );
    },
  };
}
