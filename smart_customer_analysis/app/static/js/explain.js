// Words with lines: double and warm for negative, single and cool for positive, in three steps. Used by Reviews and Try.
import { h } from "./dom.js";
import { count, number } from "./format.js";
import { t } from "./language.js";

export function words(text, x, { drop = null } = {}) {
  const list = (x.words || []).filter((w) => w.end > w.start).sort((a, b) => a.start - b.start),
    most = Math.max(1e-9, ...list.map((w) => Math.abs(w.weight)));
  const chars = [...text].length === text.length ? null : [...text]; // the server counts characters, not UTF-16 units
  const part = (a, b) => (chars ? chars.slice(a, b).join("") : text.slice(a, b)),
    length = chars ? chars.length : text.length;
  const readTo = x.tokens_total > x.tokens_read && list.length ? list.at(-1).end : length,
    out = [];
  let at = 0;
  for (const w of list) {
    if (w.start < at) continue;
    if (w.start > at) out.push(part(at, w.start));
    const share = Math.abs(w.weight) / most,
      step = !x.faithful || share < 0.15 ? 0 : share < 0.4 ? 1 : share < 0.7 ? 2 : 3,
      side = w.weight > 0 ? "positive" : "negative";
    const cls = step ? `word word-${side} word-${step}` : "word",
      label = step
        ? side === "negative"
          ? t("{word}, speaks for negative", { word: part(w.start, w.end) })
          : t("{word}, speaks for positive", { word: part(w.start, w.end) })
        : null;
    out.push(
      drop
        ? h(
            "button",
            {
              type: "button",
              class: cls,
              "aria-label": label
                ? `${label}. ${t("Drop it and ask again.")}`
                : `${part(w.start, w.end)}. ${t("Drop it and ask again.")}`,
              on: { click: () => drop(w.start, w.end) },
            },
            part(w.start, w.end),
          )
        : step
          ? h(
              "mark",
              { class: cls },
              part(w.start, w.end),
              h("span", { class: "sr" }, ` (${side === "negative" ? t("negative") : t("positive")})`),
            )
          : part(w.start, w.end),
    );
    at = w.end;
  }
  if (at < readTo) out.push(part(at, readTo));
  if (readTo < length) out.push(h("span", { class: "unread" }, part(Math.max(at, readTo), length)));
  return h("p", { class: `words${x.faithful ? "" : " words-off"}`, dir: "auto" }, out);
}

export const wordLegend = () =>
  h(
    "p",
    { class: "caption word-legend" },
    h("span", { class: "word word-negative word-3" }, t("double line")),
    ` ${t("speaks for negative")} · `,
    h("span", { class: "word word-positive word-3" }, t("single line")),
    ` ${t("speaks for positive")} · ${t("the thicker, the more it counts")}`,
  );

export function check(x) {
  if (!x.faithful)
    return t("Highlights not shown: removing those words changes the answer no more than random words.");
  const f = x.faithfulness;
  return f === null || f === undefined || !Number.isFinite(f)
    ? t("Check passed: removing these words matters more than removing random ones.")
    : t("Check passed: removing these words matters {n} times as much as removing random ones.", {
        n: number(f),
      });
}

export const tokens = (x) =>
  x.tokens_total === null || x.tokens_total === undefined
    ? ""
    : x.tokens_read >= x.tokens_total
      ? t("read {n} of {all} tokens: all of it", { n: count(x.tokens_read), all: count(x.tokens_total) })
      : t("read {n} of {all} tokens: {left} not read", {
          n: count(x.tokens_read),
          all: count(x.tokens_total),
          left: count(x.tokens_total - x.tokens_read),
        });
