// How numbers and dates are written, in one place.
import { language, t, tn } from "./language.js";

const nf = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const parts = new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: 1 }).formatToParts(
  0.5,
);
const MARK = parts.find((p) => p.type === "decimal").value; // "38.5%", "38,5 %"
const PERCENT = parts
  .slice(parts.findIndex((p) => p.type === "fraction") + 1)
  .map((p) => p.value)
  .join("");
const written = (options) => new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options });
const LONG = written({ day: "numeric", month: "long", year: "numeric" }),
  SHORT = written({ day: "numeric", month: "short" });
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export const capital = (text) => text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
export const count = (n) => (n === null || n === undefined ? "[x]" : nf.format(n));
export const plural = (n, one, many = `${one}s`) => tn(`{n} ${one}`, `{n} ${many}`, n, { n: count(n) });

const missing = (v) => v === null || v === undefined || Number.isNaN(v);
export const decimals = (low, high) => (!missing(low) && !missing(high) && high - low < 0.02 ? 1 : 0);

function num(v, d) {
  return (100 * v).toFixed(d).replace(".", MARK);
}
export function pct(v, d = 0) {
  if (missing(v)) return "[x]";
  const smallest = d ? 0.001 : 0.01;
  if (v > 0 && v < smallest / 2) return `< ${num(smallest, d)}${PERCENT}`;
  return `${num(v, d)}${PERCENT}`;
}
export const range = (low, high, d = decimals(low, high)) =>
  missing(low) ? "" : `${num(low, d)}–${num(high, d)}${PERCENT}`;
export const rangeWords = (low, high, d = decimals(low, high)) =>
  t("{low} to {high}", { low: num(low, d), high: num(high, d) });

// A single review: never 0% or 100%.
export function chance(p) {
  return p > 0.99 ? `> 99${PERCENT}` : p < 0.01 ? `< 1${PERCENT}` : `${Math.round(100 * p)}${PERCENT}`;
}

// A number with exactly so many decimals: "0.013", "0,013".
export const fixed = (v, d) => v.toFixed(d).replace(".", MARK);
// The two ends of a difference, the smaller one first: "3 to 9 points".
export function pointSpan(low, high) {
  const [a, b] = [low, high].map((v) => Math.round(100 * Math.abs(v))).sort((p, q) => p - q);
  return t("{low} to {high} points", { low: a, high: b });
}
export function pointsText(v) {
  const p = Math.round(100 * Math.abs(v));
  return v >= 0 ? tn("{n} point more", "{n} points more", p) : tn("{n} point fewer", "{n} points fewer", p);
}
export function number(v) {
  if (missing(v)) return "[x]";
  if (typeof v !== "number") return String(v);
  const a = Math.abs(v);
  const written = new Intl.NumberFormat(language, {
    maximumFractionDigits: a >= 100 ? 0 : a >= 1 ? 1 : 3,
  }).format(v);
  return written.replace("-", "−");
}

// Dates: calendar days as "2026-11-15", kept as UTC.
export const day = (v) => (v ? new Date(`${String(v).slice(0, 10)}T00:00:00Z`) : null);
export const iso = (d) => d.toISOString().slice(0, 10);
export const addDays = (d, n) => new Date(d.getTime() + n * 864e5);
export const monday = (d) => addDays(d, -((d.getUTCDay() + 6) % 7));

export function date(v) {
  const d = day(v);
  if (language !== "en" && d && !Number.isNaN(d.getTime())) return LONG.format(d);
  return d && !Number.isNaN(d.getTime())
    ? `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`
    : "[x]";
}
const BRIEF = written({ day: "2-digit", month: "2-digit", year: "numeric" }); // "15/11/2026"
export const briefDate = (v) => (language === "en" ? date(v) : BRIEF.format(day(v)));
export function shortDate(v) {
  const d = day(v);
  if (language === "en") return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
  if (language === "de") return SHORT.format(d);
  const parts = SHORT.formatToParts(d).filter((p) => p.type !== "literal"); // "15 jun", not "15 de jun."
  return parts.map((p) => p.value.replace(".", "")).join(" ");
}
// Of a month the server says its first day; its name is the reader's.
const MONTH = written({ month: "long", year: "numeric" }),
  SHORT_MONTH = written({ month: "short" });
export const monthName = (v) => MONTH.format(day(v));
export const shortMonth = (v) => SHORT_MONTH.format(day(v)).replace(".", "");

export function dates(a, b) {
  const x = day(a),
    y = day(b);
  if (!x || !y) return t("all dates");
  if (language !== "en") return LONG.formatRange(x, y);
  if (x.getUTCFullYear() !== y.getUTCFullYear()) return `${date(a)} – ${date(b)}`;
  if (x.getUTCMonth() === y.getUTCMonth()) return `${x.getUTCDate()}–${date(b)}`;
  return `${shortDate(a)} – ${date(b)}`;
}
// A period and the one before it: "19 Oct – 15 Nov 2026 against 21 Sep – 18 Oct 2026".
export const versus = (p) =>
  p.previous_start
    ? t("{dates} against {before}", {
        dates: dates(p.start, p.end),
        before: dates(p.previous_start, p.previous_end),
      })
    : dates(p.start, p.end);
export function weekName(v) {
  const start = monday(day(v)),
    thursday = addDays(start, 3),
    jan1 = new Date(Date.UTC(thursday.getUTCFullYear(), 0, 1));
  const week = 1 + Math.floor((thursday - jan1) / 6048e5);
  return t("Week {n} ({dates})", { n: week, dates: dates(iso(start), iso(addDays(start, 6))) });
}
export const time = (v) => (v ? `${date(v)}, ${String(v).slice(11, 16)}` : "[x]");
export function bytes(n) {
  if (missing(n)) return "";
  return n < 1e6 ? `${Math.max(1, Math.round(n / 1e3))} kB` : `${fixed(n / 1e6, 1)} MB`;
}
