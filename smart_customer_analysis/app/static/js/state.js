// The address is the state: path = view, query = filters, sort, selection.
import { addDays, capital, day, dates, iso, monday } from "./format.js";
import { language, remember, t } from "./language.js";

export const VIEWS = {
  "/": "overview",
  "/map": "map",
  "/segments": "segments",
  "/themes": "themes",
  "/reviews": "reviews",
  "/label": "label",
  "/try": "try",
  "/reports": "reports",
};
export const TITLES = {
  overview: t("Overview"),
  map: t("Map"),
  segments: t("Segments"),
  themes: t("Themes"),
  reviews: t("Reviews"),
  label: t("Label"),
  try: t("Try a review"),
  reports: t("Reports"),
};
export const FILTERS = [
  "source",
  "start",
  "end",
  "segment",
  "region",
  "product",
  "theme",
  "language",
  "extra",
  "sentiment",
  "q",
];
const NARROW = FILTERS.slice(3);
export const LABELS = {
  period: t("Period"),
  segment: t("Segment"),
  region: t("Region"),
  product: t("Product"),
  theme: t("Theme"),
  language: t("Language"),
  extra: t("Own column"),
  sentiment: t("Sentiment"),
  q: t("Words"),
};

export const meta = {
  regions: [],
  segments: [],
  products: [],
  themes: [],
  languages: [],
  extra: [],
  sources: [],
  periods: null,
  known: false,
};
export let state = read();

export function read(loc = location) {
  const view = VIEWS[loc.pathname.replace(/(.)\/$/, "$1")] || "overview",
    query = Object.fromEntries(new URLSearchParams(loc.search));
  return { view, query, path: loc.pathname };
}
export function refresh() {
  state = read();
  return state;
}
// The same page in another language: the address says it, and this browser remembers it.
export function speak(l) {
  const target = new URL(location.href);
  target.searchParams.set("lang", l);
  remember(l);
  location.assign(target);
}

export const pathOf = (view) => Object.keys(VIEWS).find((p) => VIEWS[p] === view);
export const filtersOf = (query = state.query) =>
  Object.fromEntries(FILTERS.filter((k) => query[k]).map((k) => [k, query[k]]));

export function href(view, changes = {}, { keep = filtersOf() } = {}) {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries({ ...keep, ...changes }))
    if (v !== null && v !== undefined && v !== "") q.set(k, v);
  if (state.query.lang && !q.has("lang")) q.set("lang", state.query.lang);
  const text = q.toString();
  return pathOf(view) + (text ? `?${text}` : "");
}
// The same view with some of its query changed.
export const here = (changes) => href(state.view, changes, { keep: { ...state.query, cursor: "" } });

// The period in force: what the address says, else the last four complete weeks.
export function defaultPeriod() {
  const p = meta.periods;
  if (meta.period) return meta.period; // the server's: it lengthens the span where four weeks hold too few reviews
  if (!p?.last) return null;
  const last = day(p.last);
  let end = addDays(monday(addDays(last, 1)), -1);
  const first = p.first ? day(p.first) : null;
  if (first && end < first) end = last;
  return { start: iso(addDays(end, -27)), end: iso(end) };
}
export function period(query = state.query) {
  const d = defaultPeriod();
  const start = query.start || d?.start,
    end = query.end || d?.end;
  if (!start || !end) return null;
  const length = Math.round((day(end) - day(start)) / 864e5) + 1,
    first = meta.periods?.first || "0000-01-01";
  const before = iso(addDays(day(start), -1)),
    from = iso(addDays(day(start), -length));
  const previous =
    before < first
      ? { previous_start: null, previous_end: null }
      : { previous_start: from < first ? first : from, previous_end: before };
  return { start, end, ...previous, chosen: Boolean(query.start || query.end), length };
}

// What a view sends to the API: filters that act there, with the period made explicit.
export function queryParams({ without = [], query = state.query } = {}) {
  const p = period(query),
    out = { ...filtersOf(query) };
  if (p) Object.assign(out, { start: p.start, end: p.end });
  for (const k of without) delete out[k];
  return out;
}

export function scopeText({ without = [], query = state.query, withPeriod = true } = {}) {
  const p = period(query),
    parts = [];
  for (const k of NARROW) {
    if (query[k] && !without.includes(k)) parts.push(`${LABELS[k]}: ${nameOf(k, query[k])}`);
  }
  if (withPeriod) parts.push(p ? dates(p.start, p.end) : t("all dates"));
  return parts.join(" · ");
}
// Filters in force that a view acts on: ["region", "period"].
export function activeFilters({ without = [], query = state.query } = {}) {
  const keys = NARROW.filter((k) => query[k] && !without.includes(k));
  return period(query)?.chosen ? [...keys, "period"] : keys;
}
export const themeName = (id) => meta.themes.find((x) => x.id === id)?.name ?? `[${id}]`;
// The value of a filter as a reader knows it.
export const nameOf = (key, value) =>
  key === "segment"
    ? segmentName(value)
    : key === "theme"
      ? themeName(value)
      : key === "language"
        ? languageName(value)
        : key === "sentiment"
          ? (SENTIMENTS[value] ?? value)
          : value;
const names = new Intl.DisplayNames([language], { type: "language", fallback: "code" });
// "Portuguese" for "pt"; what is too short to tell has no language.
export function languageName(code) {
  if (code === "und") return t("too short to tell");
  try {
    const name = names.of(code);
    return capital(name);
  } catch {
    return code; // somebody typed it into the address
  }
}
export const SENTIMENTS = {
  negative: t("Negative"),
  positive: t("Positive"),
  unsure: t("Unsure"),
  neutral: t("Three stars"),
};
export function segmentName(id) {
  const segment = meta.segments.find((x) => x.id === id);
  return segment ? `[${id}] ${segment.name}` : `[${id}]`;
}
