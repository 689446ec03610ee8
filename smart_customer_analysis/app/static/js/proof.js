// The proof behind a mark: both shares on one scale, the test, the account, words, quotes and the weeks. It opens beside the
// page, its name is in the address (proof=region:Lisboa), so Back closes it and a link to it can be sent.
import { get } from "./api.js";
import { emptyState, failedState, skeleton } from "./card.js";
import { weekly } from "./charts.js";
import { $, clear, drawn, h, icon, say } from "./dom.js";
import { drawable, figure, hasPoint, isHidden, isWide, mark, niceMax, safePath, track } from "./figure.js";
import {
  addDays,
  capital,
  count,
  date,
  dates,
  day,
  fixed,
  iso,
  pct,
  plural,
  pointSpan,
  pointsText,
} from "./format.js";
import { joined, t, tn } from "./language.js";
import { filtersOf, here, href, meta, nameOf, period, queryParams, state } from "./state.js";
import { WHY } from "./words.js";

const WITHOUT = ["sentiment", "q"];
let go = () => {};
let turn = 0;

function mount(navigate) {
  go = navigate;
  const dialog = $("#proof");
  dialog.addEventListener("cancel", (e) => {
    e.preventDefault();
    close();
  });
  dialog.addEventListener("click", (e) => {
    if (e.target === dialog || e.target.closest("[data-close]")) close();
  });
}
function close() {
  if (!state.query.proof) return;
  if (history.state?.proof) history.back();
  else go(here({ proof: "" }), { replace: true });
}

// Shows what the address says: called after every change of it.
export async function drawProof(navigate = go) {
  if (go !== navigate) mount(navigate);
  const dialog = $("#proof"),
    key = state.query.proof,
    mine = ++turn;
  if (!key) {
    if (dialog.open) dialog.close();
    return;
  }
  const body = $("#proof-body"),
    title = $("#proof-title"),
    at = key.indexOf(":"),
    [kind, name] = [key.slice(0, at), key.slice(at + 1)];
  title.textContent = t("Proof");
  clear(body, skeleton(8));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  title.focus({ preventScroll: true });
  const ask = queryParams({ without: WITHOUT });
  try {
    const x =
      kind === "cell"
        ? await get("map/spot", { ...ask, cell: name })
        : await get("changes/proof", { ...ask, kind, name });
    if (mine !== turn) return;
    const [heading, ...parts] = kind === "cell" ? spotParts(x) : changeParts(x);
    clear(title, heading);
    clear(body, parts);
    say(title.textContent);
  } catch (err) {
    if (mine !== turn) return;
    clear(
      body,
      err.status === 404
        ? emptyState(t("There is no such mark with these filters: nothing is proven here any more."))
        : failedState(err, () => drawProof(), t("The page behind it still holds.")),
    );
  }
}

const part = (name, ...children) => h("section", { class: "proof-part" }, h("h3", null, name), children);
const door = (path, text, main = false) =>
  safePath(path)
    ? h(
        "a",
        { href: path, class: main ? "button button-main" : "button" },
        text,
        h("span", { "aria-hidden": "true" }, " →"),
      )
    : null;

// Two shares on one scale. rows: [{label, figure, hollow}]
function twoDots(rows) {
  const max = niceMax(rows.map((r) => r.figure));
  return h(
    "div",
    { class: "two-dots" },
    rows.map((r) => [
      h("div", { class: "two-dots-name" }, r.label),
      track(r.figure, { max, tone: r.hollow ? "track-then" : "" }),
      h("div", { class: "two-dots-figure" }, figure(r.figure)),
    ]),
    h("div"),
    h(
      "div",
      { class: "scale", "aria-hidden": "true" },
      [0, 0.5, 1].map((at) => h("span", { class: "tick" }, pct(max * at))),
    ),
    h("div"),
  );
}

// The difference with its range, on a scale that has the zero in it.
function differenceRow(x, point) {
  const low = Math.min(x.low, 0),
    high = Math.max(x.high, 0),
    wide = Math.max(0.1, Math.ceil(10 * Math.max(-low, high)) / 10),
    from = low < 0 ? -wide : 0,
    to = high > 0 ? wide : 0,
    at = (v) => `${(100 * (v - from)) / (to - from)}%`,
    ends = [x.low, x.high].map((v) => Math.round(100 * Math.abs(v))).sort((a, b) => a - b);
  const written = point
    ? [h("b", null, pointsText(x.points)), ` (${t("{low} to {high}", { low: ends[0], high: ends[1] })})`]
    : [
        x.mark === "worse"
          ? t("{points} more", { points: pointSpan(x.low, x.high) })
          : t("{points} fewer", { points: pointSpan(x.low, x.high) }),
        " ",
        h("abbr", { title: WHY["Wide [u]"] }, "[u]"),
      ];
  const line = h(
    "div",
    { class: `track track-${x.mark}`, "aria-hidden": "true" },
    h("div", { class: "track-base" }),
  );
  line.append(
    h("div", { class: "track-line", style: { left: at(0) } }),
    h("div", {
      class: "track-range",
      style: { left: at(x.low), width: `calc(${at(x.high)} - ${at(x.low)})` },
    }),
  );
  if (point) line.append(h("div", { class: "track-dot", style: { left: at(x.points) } }));
  return h(
    "div",
    { class: "two-dots" },
    h("div", { class: "two-dots-name" }, t("Difference")),
    line,
    h("div", { class: "two-dots-figure" }, written),
    h("div"),
    h(
      "div",
      { class: "scale", "aria-hidden": "true" },
      [from, (from + to) / 2, to].map((v) =>
        h("span", { class: "tick" }, `${v > 0 ? "+" : v < 0 ? "−" : ""}${Math.round(100 * Math.abs(v))}`),
      ),
    ),
    h("div"),
  );
}

const small = (p) =>
  p === null || p === undefined ? "[x]" : p < 0.001 ? t("below {p}", { p: fixed(0.001, 3) }) : fixed(p, 3);
const ONE_IN_20 = t("at most 1 in 20 of those listed is expected to be there by chance");

const quoted = (list, none) =>
  list.length
    ? list.map((q) =>
        h(
          "blockquote",
          null,
          h("p", { lang: q.lang, dir: "auto", class: "quote" }, `“${q.text}”`),
          h(
            "footer",
            { class: "caption" },
            [q.reviewed_at ? date(q.reviewed_at) : null, q.region].filter(Boolean).join(" · "),
          ),
        ),
      )
    : h("p", { class: "muted" }, none);

const wordList = (words, filters, none) =>
  h(
    "p",
    null,
    words.length
      ? [
          `${t("Named by more customers:")} `,
          words.map((w, i) => [
            i ? ", " : "",
            h("a", { href: href("reviews", { ...filters, q: w }, { keep: filtersOf() }) }, w),
          ]),
          ". ",
        ]
      : `${none} `,
    h("span", { class: "caption" }, t("Association, not cause.")),
  );

function weeksPart(weeks, address) {
  return weeks.some(drawable)
    ? [
        drawn(h("div", { class: "plot plot-proof" }), (w) =>
          weekly(weeks, {
            width: w,
            height: 190,
            address,
            mark: period(),
            name: t("Share of negative reviews by week"),
          }),
        ),
        h(
          "p",
          { class: "caption" },
          h("span", { class: "band-key", "aria-hidden": "true" }),
          ` ${t("95% range")} · `,
          icon("running"),
          ` ${t("hollow: the week is not over · shaded: the period")}`,
        ),
      ]
    : h("p", { class: "muted" }, t("Too few customers in each week to draw one."));
}

const SIZES = { large: t("large"), medium: t("medium"), small: t("small") };
const named = (x) => (x.kind === "overall" ? t("all reviews") : nameOf(x.kind, x.name));

function changeParts(x) {
  const p = period(),
    point = hasPoint(x.before) && hasPoint(x.after),
    group = x.kind === "overall" ? {} : { [x.kind]: x.name };
  const now = dates(p.start, p.end),
    then = dates(p.previous_start, p.previous_end),
    worse = x.mark === "worse",
    none = worse
      ? t("[c] Too few negative reviews to quote from.")
      : t("[c] Too few positive reviews to quote from.");
  return [
    [mark(x.mark), `: ${named(x)}`],
    h("p", { class: "proof-lead" }, x.account ? x.sentence.replace(` ${x.account}`, "") : x.sentence),
    part(
      x.kind === "theme"
        ? t("Share of what is said about it that is negative")
        : t("Share of negative reviews"),
      twoDots([
        { label: then, figure: x.before, hollow: true },
        { label: now, figure: x.after },
      ]),
      differenceRow(x, point),
    ),
    part(
      t("How we know"),
      h(
        "p",
        null,
        [
          tn("{n} measure was tested", "{n} measures were tested together", x.tested, { n: count(x.tested) }),
          tn("{n} is proven.", "{n} are proven.", x.n_proven, { n: count(x.n_proven) }),
        ].join(", "),
        " ",
        t("Corrected for their number ({method}): {promise}.", { method: x.correction, promise: ONE_IN_20 }),
        " ",
        t("Corrected p {p}; the range of the difference is widened to match.", { p: small(x.q_value) }),
      ),
    ),
    part(
      t("What makes it up"),
      h(
        "p",
        null,
        x.account
          ? `${capital(x.account.replace(/^\p{L}+: /u, ""))} `
          : point
            ? `${t("No region, segment or product holds clearly more of the change than of the reviews.")} `
            : `${t("Not computed: the difference is too uncertain for one number.")} `,
        x.account ? h("span", { class: "caption" }, t("Arithmetic, not cause.")) : null,
      ),
      wordList(
        x.words,
        { ...group, sentiment: "negative" },
        t("No word of the negative reviews is named by more customers than chance explains."),
      ),
    ),
    part(
      worse
        ? t("The newest negative reviews of each period")
        : t("The newest positive reviews of each period"),
      h(
        "div",
        { class: "proof-quotes" },
        h("div", null, h("h4", null, then), quoted(x.quotes_before, none)),
        h("div", null, h("h4", null, now), quoted(x.quotes_after, none)),
      ),
    ),
    part(
      t("Week by week"),
      weeksPart(x.over_time, (w) =>
        href("reviews", { ...group, start: w.week, end: iso(addDays(day(w.week), 6)) }),
      ),
    ),
    h(
      "p",
      { class: "proof-doors" },
      door(x.after.evidence, t("Open the {reviews}", { reviews: plural(x.after.n_reviews, "review") }), true),
      door(
        x.before.evidence,
        isHidden(x.before)
          ? t("Before")
          : t("{reviews} before", { reviews: plural(x.before.n_reviews, "review") }),
      ),
    ),
  ];
}

function spotParts(x) {
  const { sizes } = x,
    seen = joined(sizes.map((x) => SIZES[x] ?? x));
  return [
    [mark("worse"), `: ${x.name}`],
    h("p", { class: "proof-lead" }, t("More negative reviews here than chance explains.")),
    part(
      t("Share of negative reviews"),
      twoDots([
        { label: t("All reviews"), figure: x.overall, hollow: true },
        { label: x.name, figure: x },
      ]),
      isWide(x) ? h("p", { class: "caption" }, `[u] ${WHY["Wide [u]"]}`) : null,
    ),
    part(
      t("How we know"),
      h(
        "p",
        null,
        [
          tn(
            "{n} place was tested at three sizes, with its neighbours, against {m} maps on which the customers are dealt anew (seed {seed}).",
            "{n} places were tested together at three sizes, each with its neighbours, against {m} maps on which the customers are dealt anew (seed {seed}).",
            x.tested,
            { n: count(x.tested), m: count(x.permutations), seed: x.seed },
          ),
          t("Corrected for their number ({method}): {promise}.", {
            method: x.correction,
            promise: ONE_IN_20,
          }),
          t("This place is seen at {sizes} size; corrected p {p}.", { sizes: seen, p: small(x.q_value) }),
        ].join(" "),
      ),
    ),
    part(
      t("What they say"),
      wordList(
        x.words,
        x.evidence ? { cell: x.cell, sentiment: "negative" } : { sentiment: "negative" },
        t("No word of the negative reviews is named here by more customers than elsewhere."),
      ),
      quoted(
        x.quotes,
        x.evidence
          ? t("[c] Too few negative reviews to quote from.")
          : t("[c] Not quoted: the rest of the region is too few customers."),
      ),
    ),
    part(t("Week by week"), weeksPart(x.over_time, null)),
    h(
      "p",
      { class: "proof-doors" },
      door(x.evidence, t("Open the {reviews}", { reviews: plural(x.n_reviews, "review") }), true) ||
        h("span", { class: "muted" }, t("[c] No list: the rest of the region is too few customers.")),
      state.view === "map" || !meta.known
        ? null
        : door(href("map", { pick: x.cell }), t("See it on the map")),
    ),
  ];
}
