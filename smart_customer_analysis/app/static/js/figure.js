// The figure: `38%  35–41%  · 1,204 reviews`, everywhere the same, a door to the reviews behind it.
import { h, icon } from "./dom.js";
import { count, decimals, pct, plural, range, rangeWords } from "./format.js";
import { t, tn } from "./language.js";
import { MARKS, WHY } from "./words.js";

export const safePath = (path) => (typeof path === "string" && /^\/(?!\/)/.test(path) ? path : null);
export const isHidden = (f) => f?.reliability === "hidden";
export const isMissing = (f) =>
  !f ||
  f.reliability === "none" ||
  f.reliability === "not_comparable" ||
  f.value === null ||
  f.value === undefined;
export const isWide = (f) => f?.reliability === "wide";
export const drawable = (f) => Boolean(f) && !isHidden(f) && !isMissing(f);
// Where one number may be printed or drawn: of a wide range the point is withheld.
export const hasPoint = (f) => drawable(f) && !isWide(f);
// "line: all 53% (44–63%), 430 reviews"; nothing where the share of all has no point to draw a line at.
export const lineOfAll = (f) =>
  hasPoint(f)
    ? t("line: all {share}, {reviews}", { share: written(f), reviews: plural(f.n_reviews, "review") })
    : "";

export function symbol(f) {
  if (isHidden(f)) return "[c]";
  if (f?.reliability === "not_comparable") return t("not comparable");
  if (isMissing(f)) return "[x]";
  return isWide(f) ? "[u]" : "";
}

export function spoken(f) {
  if (isHidden(f)) return `${t("Hidden.")} ${WHY["Hidden [c]"]}`;
  if (f?.reliability === "not_comparable") return t("Not comparable.");
  if (isMissing(f)) return t("Not available.");
  const d = decimals(f.low, f.high),
    n = plural(f.n_reviews, "review");
  if (isWide(f))
    return t("Negative: range {range} percent, too wide for one number, from {reviews}.", {
      range: rangeWords(f.low, f.high),
      reviews: n,
    });
  return t("{n} percent negative, range {range}, from {reviews}.", {
    n: pct(f.value, d).replace(/\s?%/, ""),
    range: rangeWords(f.low, f.high, d),
    reviews: n,
  });
}

export function written(f) {
  if (isHidden(f) || isMissing(f)) return symbol(f);
  return isWide(f)
    ? `${range(f.low, f.high)} [u]`
    : `${pct(f.value, decimals(f.low, f.high))} (${range(f.low, f.high)})`;
}

// options: n: show the number of reviews · unsure: show the unsure ones · link: open the reviews · big
export function figure(f, { n = true, unsure = false, link = true, big = false } = {}) {
  if (isHidden(f))
    return h(
      "span",
      { class: "figure figure-hidden", title: WHY["Hidden [c]"] },
      icon("hidden"),
      " ",
      h("abbr", { title: WHY["Hidden [c]"] }, "[c]"),
      h("span", { class: "sr" }, ` ${WHY["Hidden [c]"]}`),
    );
  if (isMissing(f)) {
    const text =
      f?.reliability === "not_comparable"
        ? t("not comparable")
        : f && f.n_reviews === 0
          ? t("no reviews")
          : "[x]";
    return h("span", { class: "figure figure-missing", title: WHY["Missing [x]"] }, text);
  }
  const d = decimals(f.low, f.high),
    href = link && safePath(f.evidence);
  // The visible text is the accessible name; what only eyes can infer is said beside it: "38% negative, range 35–41%, from 1,204 reviews. Open them."
  const sr = (text) => h("span", { class: "sr" }, text),
    reviews = plural(f.n_reviews, "review");
  const parts = [
    isWide(f)
      ? [
          sr(`${t("negative, too wide for one number, range")} `),
          h("span", { class: "range" }, range(f.low, f.high)),
          " ",
          h("abbr", { title: WHY["Wide [u]"] }, "[u]"),
        ]
      : [
          h("b", { class: "point" }, pct(f.value, d)),
          sr(` ${t("negative, range")}`),
          " ",
          h("span", { class: "range" }, range(f.low, f.high, d)),
        ],
    n
      ? [
          sr(`, ${t("from")}`),
          " ",
          h("span", { class: "n" }, h("span", { "aria-hidden": "true" }, "· "), reviews),
        ]
      : sr(`, ${t("from")} ${reviews}`),
    href ? sr(`. ${t("Open them.")}`) : null,
  ];
  const tail =
    unsure && f.n_unsure
      ? h(
          "span",
          { class: "unsure", title: WHY.Unsure },
          icon("unsure"),
          ` ${tn("{n} unsure", "{n} unsure", f.n_unsure, { n: count(f.n_unsure) })}`,
        )
      : null;
  const cls = `figure${big ? " figure-big" : ""}${big && isWide(f) ? " figure-wide" : ""}`;
  const body = href ? h("a", { class: cls, href }, parts) : h("span", { class: cls }, parts);
  return tail ? h("span", { class: "figure-with" }, body, " ", tail) : body;
}

export function mark(kind, text) {
  const name = kind === "first" || kind === "not_comparable" ? "none" : kind;
  return h(
    "span",
    { class: `mark mark-${kind}` },
    icon(name in MARKS ? name : "none"),
    " ",
    text ?? MARKS[kind] ?? kind,
  );
}

export function badge(id, name) {
  const letter = String(id ?? "?"),
    known = /^[A-F]$/.test(letter);
  return h(
    "span",
    { class: `badge ${known ? `badge-${letter.toLowerCase()}` : "badge-other"}`, title: name || null },
    letter,
  );
}

export const proofKey = (kind, name) => `${kind}:${name}`;
// A mark that opens its proof: the whole sentence is the button; main.js puts the key into the address.
export const proofButton = (key, children, cls = "") =>
  h(
    "button",
    { type: "button", class: `proof-open ${cls}`.trim(), "aria-haspopup": "dialog", data: { proof: key } },
    children,
    " ",
    h("span", { class: "proof-word" }, t("Proof")),
  );

// Dot with a line that fades at its ends; `other` is a hollow comparison dot, `line` a reference for all customers.
export function track(f, { max = 1, other = null, line = null, tone = "" } = {}) {
  const at = (v) => `${Math.max(0, Math.min(100, (100 * v) / max))}%`;
  const el = h("div", { class: `track ${tone}`, "aria-hidden": "true" }, h("div", { class: "track-base" }));
  if (line !== null) el.append(h("div", { class: "track-line", style: { left: at(line) } }));
  if (hasPoint(other)) el.append(h("div", { class: "track-other", style: { left: at(other.value) } }));
  if (isHidden(f)) el.append(h("div", { class: "track-hidden" }));
  else if (drawable(f)) {
    el.append(
      h("div", {
        class: "track-range",
        style: { left: at(f.low), width: `calc(${at(f.high)} - ${at(f.low)})` },
      }),
    );
    if (!isWide(f)) el.append(h("div", { class: "track-dot", style: { left: at(f.value) } }));
  }
  return el;
}

export function niceMax(figures, step = 0.1) {
  const top = Math.max(0, ...figures.filter(drawable).map((f) => f.high));
  return Math.min(1, Math.max(step * 2, Math.ceil((top + 0.005) / step) * step));
}

// The columns every figure brings into a download; hidden stays hidden.
export const FIGURE_COLUMNS = ["value", "low", "high", "n_reviews", "n_customers", "n_unsure", "symbol"];
export function figureCells(f) {
  if (!f || f.reliability === "hidden") return ["", "", "", "", "", "", f ? "[c]" : "[x]"];
  const none = f.value === null || f.value === undefined;
  return [
    none || f.reliability === "wide" ? "" : f.value,
    f.low ?? "",
    f.high ?? "",
    f.n_reviews ?? "",
    f.n_customers ?? "",
    f.n_unsure ?? "",
    none ? "[x]" : f.reliability === "wide" ? "[u]" : "",
  ];
}
