// Small-data mode: where a period is too thin for one number, the shortest longer one that can answer; months for weeks.
import { get } from "./api.js";
import { hasPoint, isHidden, isWide } from "./figure.js";
import { addDays, day, iso } from "./format.js";
import { t } from "./language.js";
import { meta } from "./state.js";

const SPANS = [13, 26, 52, null]; // weeks; null: all dates

// {figure, start, end, weeks} of the first longer span with one number; null: none has one.
export async function longerSpan(ask, days, signal) {
  const first = meta.periods?.first;
  if (!days?.start || !first) return null;
  const seen = new Set([days.start]);
  for (const weeks of SPANS) {
    let start = weeks ? iso(addDays(day(days.end), 1 - 7 * weeks)) : first;
    if (start < first) start = first;
    if (start >= days.start || seen.has(start)) continue;
    seen.add(start);
    const { items } = await get("shares", { ...ask, start, end: days.end, by: "overall" }, signal);
    if (hasPoint(items[0]))
      return { figure: items[0], start, end: days.end, weeks: start === first ? null : weeks };
  }
  return null;
}

export const isThin = (f) => isWide(f) || isHidden(f);
export const spanWords = (weeks) => (weeks ? t("{n} weeks", { n: weeks }) : t("all dates"));

// Months in the form of weeks, for the same chart; a month that has begun or ended outside the data is not complete.
export async function months(ask, end, signal) {
  const { first, last } = meta.periods || {};
  if (!first) return [];
  const { items } = await get("shares", { ...ask, start: first, end, by: "month" }, signal);
  return items.slice(-24).map((x) => {
    const from = `${x.key}-01`,
      next = day(from);
    next.setUTCMonth(next.getUTCMonth() + 1);
    const to = iso(addDays(next, -1)),
      cut = last < end ? last : end;
    return { ...x, week: from, to, complete: from >= first.slice(0, 8) + "01" && from >= first && to <= cut };
  });
}

// Since you last looked: kept in this browser alone, by shop. Without storage nothing is said.
const HOURS = 8; // visits closer together are one

const now = () => new Date().toISOString();
function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) || null;
  } catch {
    return null;
  }
}
function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    /* refused: nothing is kept */
  }
}

// marks: keys of the changes that are proven now; n: reviews of the shop. Returns what differs from the visit before.
export function sinceLast(shop, marks, n) {
  const key = `seen:${shop}`,
    kept = read(key),
    current = { at: now(), marks, n },
    recent = kept?.now && Date.now() - Date.parse(kept.now.at) < HOURS * 36e5,
    base = recent ? kept.base || null : kept?.now || null;
  write(key, { base, now: recent ? { ...current, at: kept.now.at } : current });
  if (!base || !Array.isArray(base.marks)) return null;
  return {
    at: base.at,
    fresh: marks.filter((m) => !base.marks.includes(m)),
    ended: base.marks.filter((m) => !marks.includes(m)),
    reviews: Math.max(0, n - base.n),
  };
}
