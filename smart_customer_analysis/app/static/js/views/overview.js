// Overview: "Are customers happier, and what should I look at?"
import { get } from "../api.js";
import { card, emptyState, table } from "../card.js";
import { drawn, h, icon, say } from "../dom.js";
import {
  badge,
  drawable,
  figure,
  hasPoint,
  isHidden,
  isWide,
  lineOfAll,
  mark,
  niceMax,
  safePath,
  symbol,
  track,
  written,
  proofButton,
  proofKey,
  FIGURE_COLUMNS,
  figureCells,
} from "../figure.js";
import {
  count,
  date,
  dates,
  day,
  addDays,
  iso,
  monthName,
  pct,
  plural,
  pointsText,
  range,
  shortMonth,
} from "../format.js";
import { dotRows, weekly } from "../charts.js";
import { land, legendItems, staticMap, extentOf, cellLines, ofKind, outlines, regionCells } from "../geo.js";
import { queryParams, filtersOf, here, href, meta, period, scopeText, state } from "../state.js";
import { isThin, longerSpan, months, sinceLast, spanWords } from "../spans.js";
import { t, tn } from "../language.js";
import { MARKS, WHY } from "../words.js";

const SENTIMENT = t("Sentiment does not act here: a share of negative reviews needs all of them.");
const WORDS = t("Words act only in Reviews.");
const WITHOUT = ["sentiment", "q"];

const NONE = t("No reviews match the filters, so there is nothing to show here.");
const isEmpty = (o) => o.headline.n_reviews === 0;

const marked = (p) => [
  mark(p.mark, ""),
  h("span", { class: "sr" }, `${MARKS[p.mark] ?? p.mark}: `),
  h("span", null, p.sentence),
];

// One quiet line above the list, and a word at what is new; only for the shop as it opens, since filters change the list.
async function lastLook(o, signal) {
  if (period()?.chosen || Object.keys(filtersOf()).some((k) => k !== "source")) return null;
  const all = await get("reviews", { source: state.query.source, limit: 1 }, signal).catch(() => null),
    marks = o.changes.proven
      .filter((p) => p.mark !== "event")
      .map((p) => `${p.mark}:${proofKey(p.kind, p.name)}`);
  return all && sinceLast(o.shop || "", marks, all.all);
}
function lastLine(since) {
  if (!since) return null;
  const news = [
    since.fresh.length ? plural(since.fresh.length, "new change") : null,
    since.ended.length
      ? tn("{n} ended", "{n} ended", since.ended.length, { n: count(since.ended.length) })
      : null,
    since.reviews ? plural(since.reviews, "new review") : null,
  ].filter(Boolean);
  return h(
    "p",
    { class: "since" },
    t("Since you last looked ({date}): {news}.", {
      date: date(since.at),
      news: news.length ? news.join(", ") : t("nothing new"),
    }),
  );
}

export function changeRows(ch, { max = 5, since = null } = {}) {
  const isNew = (p) => since?.fresh.includes(`${p.mark}:${proofKey(p.kind, p.name)}`);
  const line = (p, i) =>
    h(
      "li",
      { class: "change" },
      h("span", { class: "rank" }, String(i + 1)),
      p.mark === "event"
        ? h("span", { class: "change-text" }, marked(p))
        : proofButton(proofKey(p.kind, p.name), marked(p), "change-text"),
      isNew(p) ? h("span", { class: "tag" }, t("new")) : null,
      safePath(p.evidence)
        ? h(
            "a",
            { class: "door", href: p.evidence },
            p.n_reviews ? plural(p.n_reviews, "review") : t("open"),
            h("span", { "aria-hidden": "true" }, " →"),
          )
        : null,
    );
  const rows = ch.proven.filter((p) => p.kind !== "overall"), // the headline says that one
    first = rows.slice(0, max),
    rest = rows.slice(max),
    none = Math.max(0, ch.tested - ch.proven.filter((p) => p.mark !== "event").length),
    untested = !ch.tested && ch.sentence;
  return [
    lastLine(since),
    rows.length ? h("ol", { class: "changes" }, first.map(line)) : null,
    rest.length
      ? h(
          "details",
          null,
          h("summary", null, t("and {n} more", { n: rest.length })),
          h(
            "ol",
            { class: "changes", start: max + 1 },
            rest.map((p, i) => line(p, i + max)),
          ),
        )
      : null,
    !ch.proven.length || untested
      ? h(
          "p",
          { class: `quiet${rows.length ? "" : " quiet-big"}` },
          untested ? null : [mark("none", ""), " "],
          ch.sentence,
        )
      : none
        ? h(
            "p",
            { class: `quiet${rows.length ? "" : " quiet-big"}` },
            mark("none", ""),
            " ",
            tn("No proven change in the other one.", "No proven change in the other {n}.", none, {
              n: count(none),
            }),
          )
        : null,
    ch.not_comparable.length
      ? h(
          "details",
          { class: "muted" },
          h("summary", null, t("Not comparable ({n})", { n: ch.not_comparable.length })),
          h(
            "ul",
            { class: "plain" },
            ch.not_comparable.map((x) => h("li", null, `${x.name}: ${x.reason}`)),
          ),
        )
      : null,
  ];
}

function changeTitle(ch) {
  const n = ch.proven.filter((p) => p.mark !== "event").length,
    events = ch.proven.length - n;
  const among = ch.proven.some((p) => p.kind === "overall") ? t(", the share above among them") : "";
  const tested = n
    ? t("{n} of {measures}", { n, measures: plural(ch.tested, "measure") }) + among
    : ch.tested
      ? t("nothing proven")
      : ch.not_comparable.length
        ? t("not comparable")
        : ch.period.previous_start
          ? t("too few to test")
          : t("no earlier period to compare");
  return `${t("What changed")}: ${tested}${events ? `, ${plural(events, "event")}` : ""}`;
}

// One line where the period is too thin for one number: the shortest longer one that has it.
async function longer(o, signal) {
  if (!isThin(o.headline) || !o.period.start) return null;
  const weeks = Math.round(((day(o.period.end) - day(o.period.start)) / 864e5 + 1) / 7),
    these = weeks > 0 ? tn("in this week", "in these {n} weeks", weeks) : t("in these days"),
    why = isHidden(o.headline)
      ? t("Too few customers {when} to show a share", { when: these })
      : t("Too few reviews {when} for one number", { when: these }),
    span = await longerSpan(queryParams({ without: WITHOUT }), o.period, signal).catch(() => null);
  if (!span) return h("p", { class: "thin" }, `${why}${t(", and over all dates as well.")}`);
  const { figure: f, start, end } = span;
  return h(
    "p",
    { class: "thin" },
    `${why}; ${t("over {span}", { span: spanWords(span.weeks) })}: `,
    figure(f),
    ". ",
    h("a", { href: here({ start, end }) }, t("Show {span}", { span: spanWords(span.weeks) })),
  );
}

async function headline(o, signal) {
  const f = o.headline,
    c = o.change,
    p = o.period;
  if (isEmpty(o))
    return {
      title: t("Negative reviews"),
      subtitle: "",
      body: await (await import("../empty.js")).nothing({ without: WITHOUT }),
    };
  const before = p.previous_start ? dates(p.previous_start, p.previous_end) : null;
  const proven = c.mark === "worse" || c.mark === "better",
    size = (v) => Math.round(100 * Math.abs(v)),
    ends = [size(c.low), size(c.high)].sort((a, b) => a - b);
  const sentence =
    c.mark === "first"
      ? c.sentence
      : c.mark === "none"
        ? t("No proven change against {dates}.", { dates: before })
        : (c.mark === "worse" || c.mark === "better") && c.points !== null
          ? hasPoint(f) && hasPoint(o.previous)
            ? t("{points} ({low} to {high}) than {dates}", {
                points: pointsText(c.points),
                low: ends[0],
                high: ends[1],
                dates: before,
              })
            : c.mark === "worse"
              ? t("{low} to {high} points more than {dates}", { low: ends[0], high: ends[1], dates: before })
              : t("{low} to {high} points fewer than {dates}", { low: ends[0], high: ends[1], dates: before })
          : c.sentence;
  return {
    title: [
      t("Negative reviews"),
      scopeText({ without: WITHOUT, withPeriod: false })
        ? h("span", { class: "scope" }, `, ${scopeText({ without: WITHOUT, withPeriod: false })}`)
        : null,
    ].filter(Boolean),
    subtitle: [
      h(
        "span",
        null,
        [
          f.n_predicted
            ? t("Share of reviews, by their stars or the model's reading, corrected")
            : t("Share of reviews, by their stars"),
          p.start ? dates(p.start, p.end) : t("all dates"),
        ].join(" · "),
      ),
      before ? h("span", null, ` ${t("compared with {dates}", { dates: before })}`) : "",
    ],
    body: h(
      "div",
      { class: "headline" },
      h(
        "div",
        { class: "headline-main" },
        figure(f, { big: true, n: false }),
        h(
          "p",
          { class: "headline-change" },
          proven
            ? proofButton(proofKey("overall", "all"), [mark(c.mark, MARKS[c.mark]), ": ", sentence])
            : [mark(c.mark, ""), " ", sentence],
        ),
      ),
      h(
        "div",
        { class: "headline-scale" },
        h("span", { class: "tick" }, pct(0)),
        track(f, { other: o.previous }),
        h("span", { class: "tick" }, pct(1)),
      ),
      await longer(o, signal),
      h(
        "p",
        { class: "caption" },
        isHidden(f)
          ? WHY["Hidden [c]"]
          : [
              plural(f.n_reviews, "review"),
              f.n_customers === f.n_reviews ? "" : ` · ${plural(f.n_customers, "customer")}`,
              f.n_unsure
                ? [
                    " · ",
                    icon("unsure"),
                    ` ${tn("{n} unsure", "{n} unsure", f.n_unsure, { n: count(f.n_unsure) })}`,
                  ]
                : "",
              o.previous && drawable(o.previous)
                ? [
                    " · ",
                    hasPoint(o.previous) ? h("span", { class: "hollow-dot", "aria-hidden": "true" }) : null,
                    ` ${t("before: {share}", { share: written(o.previous) })}`,
                  ]
                : "",
            ],
      ),
    ),
    csv: () => ({
      title: "Overview",
      without: WITHOUT,
      columns: ["measure", "name", "mark", ...FIGURE_COLUMNS],
      rows: longForm(o),
    }),
    links: [[t("Make this a report"), () => document.querySelector("#to-reports")?.click()]],
  };
}

// a month that is not over ends with the data
const lastDay = (p) => (p.to && meta.periods?.last < p.to ? meta.periods.last : endOf(p));
const endOf = (p) => p.to || iso(addDays(day(p.week), 6));

const longForm = (o) => [
  ["headline", "all", o.change.mark, ...figureCells(o.headline)],
  ["headline before", "all", "", ...figureCells(o.previous)],
  ...o.over_time.map((w) => ["week", w.week, w.complete ? "" : "running", ...figureCells(w)]),
  ...o.segments.map((x) => ["segment", `${x.id} ${x.name}`, "", ...figureCells(x)]),
  ...o.hotspots.map((x) => ["hot spot", x.name, "hot", ...figureCells(x)]),
];

const thinWeeks = (pts) => {
  const complete = pts.filter((w) => drawable(w) && w.complete),
    seen = pts.filter((w) => w.complete && (drawable(w) || isHidden(w)));
  return seen.length > 4 && complete.filter((w) => !isWide(w)).length * 2 < seen.length;
};

const pick = (unit, week, month) => (unit === "month" ? month : week);

function timeTitle(pts, unit) {
  const complete = pts.filter((w) => drawable(w) && w.complete),
    sharp = complete.filter((w) => !isWide(w));
  if (!complete.length)
    return pts.some(isHidden)
      ? pick(
          unit,
          t("Too few customers a week to show a share"),
          t("Too few customers a month to show a share"),
        )
      : pick(unit, t("No complete week with reviews"), t("No complete month with reviews"));
  if (sharp.length * 2 < complete.length)
    return pick(
      unit,
      t("Too few reviews a week for one number: ranges only"),
      t("Too few reviews a month for one number: ranges only"),
    );
  const low = Math.min(...complete.map((w) => w.low)),
    high = Math.max(...complete.map((w) => w.high));
  if (complete.length === 1)
    return pick(
      unit,
      t("{share} negative in the one complete week, {reviews}"),
      t("{share} negative in the one complete month, {reviews}"),
    )
      .replace("{share}", written(sharp[0]))
      .replace("{reviews}", plural(sharp[0].n_reviews, "review"));
  return pick(
    unit,
    t("The ranges of all complete weeks lie within {range}"),
    t("The ranges of all complete months lie within {range}"),
  ).replace("{range}", range(low, high, 0));
}

async function overTime(o, signal) {
  const weeks = o.over_time,
    byMonth =
      thinWeeks(weeks) && o.period.end
        ? await months(
            queryParams({ without: WITHOUT }),
            weeks.length ? endOf(weeks.at(-1)) : o.period.end,
            signal,
          ).catch(() => [])
        : [],
    use = byMonth.filter((p) => p.complete && drawable(p)).length > 1,
    pts = use ? byMonth : weeks,
    unit = use ? "month" : "week",
    title = timeTitle(pts, unit),
    width = 760;
  const look = use
    ? {
        title: (p) => monthName(p.week),
        tick: (p) => shortMonth(p.week) + (p.week.slice(5, 7) === "01" ? ` ${p.week.slice(0, 4)}` : ""),
        open: t("The month is not complete."),
        name: t("Share of negative reviews by month"),
      }
    : {};
  const address = (p) => here({ start: p.week, end: endOf(p) });
  const subtitle = `${
    use
      ? t("Share of negative reviews per month, since a week has too few for one number; line and 95% range")
      : t("Share of negative reviews per week; line and 95% range")
  }, ${pts.length ? dates(pts[0].week, lastDay(pts.at(-1))) : ""}`;
  if (!pts.length)
    return {
      title: t("Over time"),
      subtitle: "",
      body: emptyState(t("The reviews of this source carry no dates.")),
    };
  if (isEmpty(o) && !pts.some((p) => p.n_reviews || isHidden(p)))
    return { title: t("Over time"), subtitle: "", body: emptyState(NONE) };
  return {
    title,
    subtitle,
    chart: () =>
      drawn(h("div", { class: "plot" }), (w) =>
        weekly(pts, { width: w, height: 240, address, mark: use ? null : o.period, ...look }),
      ),
    table: () =>
      table(
        [
          {
            name: use ? t("Month") : t("Week from"),
            cell: (p) => (use ? monthName(p.week) : date(p.week)),
            sort: (p) => p.week,
          },
          { name: t("Negative"), cell: (p) => figure(p, { n: false }), sort: (p) => p.value, num: true },
          {
            name: t("Reviews"),
            cell: (p) => (isHidden(p) ? symbol(p) : count(p.n_reviews)),
            sort: (p) => p.n_reviews,
            num: true,
          },
          { name: t("Unsure"), cell: (p) => (isHidden(p) ? symbol(p) : count(p.n_unsure)), num: true },
          {
            name: "",
            cell: (p) =>
              p.complete ? "" : h("span", { class: "muted" }, icon("running"), ` ${t("running")}`),
          },
        ],
        [...pts].reverse(),
        {
          caption: pick(
            unit,
            t("Share of negative reviews by week"),
            t("Share of negative reviews by month"),
          ),
        },
      ),
    caption: h(
      "p",
      { class: "caption" },
      h("span", { class: "band-key", "aria-hidden": "true" }),
      ` ${t("95% range")} · `,
      icon("running"),
      " ",
      use
        ? t("hollow: not a whole month · a point opens its month")
        : t("hollow: the week is not over · shaded: the period · a point opens its week"),
    ),
    csv: () => ({
      title: `Negative reviews by ${unit}`,
      without: WITHOUT,
      columns: [unit, "complete", ...FIGURE_COLUMNS],
      rows: pts.map((p) => [p.week, p.complete, ...figureCells(p)]),
    }),
    picture: () => ({
      title,
      subtitle,
      without: WITHOUT,
      svg: (w) => weekly(pts, { width: w || width, height: 300, mark: use ? null : o.period, ...look }),
    }),
  };
}

function segments(o) {
  const list = o.segments,
    all = hasPoint(o.headline) ? o.headline.value : null,
    max = niceMax(list);
  if (!list.length)
    return {
      title: t("Segments"),
      subtitle: "",
      body: emptyState(
        isEmpty(o)
          ? NONE
          : meta.segments.length
            ? t("None of these reviews is by a customer of a segment.")
            : t("No segments yet. Next step: sca segment, then reload."),
      ),
    };
  const shown = list.filter(drawable),
    top = [...shown].sort((a, b) => b.low - a.low)[0];
  const apart =
    top && all !== null && top.low > all
      ? t("Highest: {name}, {share}", { name: `[${top.id}] ${top.name}`, share: written(top) })
      : !shown.length
        ? t("Too few customers in each segment to compare")
        : all === null
          ? t("Too few reviews of all customers to compare segments with")
          : t("No segment stands clearly above all customers");
  const columns = [
    {
      name: t("Segment"),
      cell: (x) =>
        h("a", { href: href("segments", { open: x.id }), class: "seg-link" }, badge(x.id), " ", x.name),
      sort: (x) => x.id,
    },
    { name: t("Negative"), cell: (x) => figure(x, { n: false }), sort: (x) => x.value, num: true },
    {
      name: t("Reviews"),
      cell: (x) => (isHidden(x) ? symbol(x) : count(x.n_reviews)),
      sort: (x) => x.n_reviews,
      num: true,
    },
    { name: t("Unsure"), cell: (x) => (isHidden(x) ? symbol(x) : count(x.n_unsure)), num: true },
  ];
  return {
    title: apart,
    subtitle: `${t("Share of negative reviews by segment, dot and 95% range, 0 to {end}", { end: pct(max) })}${all !== null ? ` · ${lineOfAll(o.headline)}` : ""}`,
    chart: () =>
      h(
        "ul",
        { class: "dot-rows" },
        list.map((x) =>
          h(
            "li",
            null,
            h(
              "a",
              { class: "seg-link", href: href("segments", { open: x.id }) },
              badge(x.id),
              " ",
              h("span", null, x.name),
            ),
            track(x, { max, line: all }),
            h("span", { class: "dot-figure" }, figure(x)),
          ),
        ),
      ),
    table: () => table(columns, list, { caption: t("Share of negative reviews by segment") }),
    csv: () => ({
      title: "Negative reviews by segment",
      without: WITHOUT,
      columns: ["segment", "name", ...FIGURE_COLUMNS],
      rows: list.map((x) => [x.id, x.name, ...figureCells(x)]),
    }),
    picture: () => ({
      title: apart,
      subtitle: t("Share of negative reviews by segment, dot and 95% range"),
      without: WITHOUT,
      svg: (w) =>
        dotRows(
          list.map((x) => ({ label: `${x.id} ${x.name}`, figure: x })),
          {
            width: w,
            line: all,
            lineName: all !== null ? t("all {share}", { share: written(o.headline) }) : "",
          },
        ),
    }),
  };
}

async function where(o, signal) {
  const ask = queryParams({ without: WITHOUT }),
    [[landData, outlineData], cells, shares] = await Promise.all([
      outlines().then(async (x) => [await land(x), x]),
      get("map/cells", { ...ask, size: "large" }, signal),
      get("shares", { ...ask, by: "region" }, signal),
    ]);
  const byRegion = ofKind(outlineData, "region").length > 1,
    only = (f) => ({ ...f, properties: { ...f.properties, outlineOnly: true } }),
    drawnCells = byRegion
      ? [...regionCells(outlineData, shares.items), ...cells.features.map(only)]
      : cells.features;
  const spots = cells.hotspots,
    feats = cells.features,
    breaks = cells.legend?.breaks ?? [0, 0.1, 0.2, 0.3, 0.4, 1];
  if (!feats.length && !spots.length)
    return { title: t("Where"), subtitle: "", body: emptyState(isEmpty(o) ? NONE : cells.sentence) };
  const title = spots.length
    ? tn("{n} place is worse than chance explains", "{n} places are worse than chance explains", spots.length)
    : cells.sentence;
  const pts = spots
    .filter((x) => Number.isFinite(x.lon))
    .map((x) => ({ geometry: { type: "Polygon", coordinates: [[[x.lon, x.lat]]] } }));
  const extent = extentOf(feats.length ? feats : pts, cells.extent);
  const draw = (w, height = 300) =>
    staticMap({
      landData,
      outlineData,
      cells: drawnCells,
      hotspots: spots,
      extent,
      breaks,
      width: w,
      height,
      tips: (p) => cellLines(p, cells.overall),
      name: `${title}. ${spots.map((x) => `${x.rank}: ${x.name}, ${written(x)}`).join("; ")}`,
    });
  return {
    title,
    subtitle: byRegion
      ? t("Share of negative reviews by region, drawn round its customers; hot spots outlined and numbered")
      : t("Share of negative reviews by place; hot spots outlined and numbered"),
    chart: () =>
      h(
        "div",
        { class: `where${spots.length ? " where-list" : ""}` },
        drawn(h("div", { class: "plot" }), (w) =>
          h(
            "a",
            { href: href("map"), class: "map-link" },
            draw(w, 264),
            h("span", { class: "sr" }, ` ${t("Open the map.")}`),
          ),
        ),
        h(
          "ul",
          { class: "legend-line" },
          legendItems("share", breaks).map(([c, t]) =>
            h("li", null, h("span", { class: `swatch swatch-${c}` }), t),
          ),
          h("li", null, t("% negative")),
          h("li", null, h("span", { class: "swatch swatch-hot" }), t("hot spot")),
          h("li", null, h("span", { class: "swatch swatch-wide" }), t("wide [u]")),
          h("li", null, h("span", { class: "swatch swatch-hatch" }), t("hidden [c]")),
        ),
        spots.length
          ? h(
              "ol",
              { class: "spots where-spots" },
              spots
                .slice(0, 4)
                .map((x) =>
                  h(
                    "li",
                    null,
                    proofButton(proofKey("cell", x.cell), [
                      h("span", { class: "map-rank" }, String(x.rank)),
                      h("span", null, ` ${x.name}`),
                    ]),
                    h("span", { class: "spot-figure" }, figure(x)),
                  ),
                ),
              spots.length > 4
                ? h("li", null, h("a", { href: href("map") }, t("All {n} on the map", { n: spots.length })))
                : null,
            )
          : null,
      ),
    table: () =>
      spots.length
        ? table(
            [
              { name: t("Place"), cell: (x) => `${x.rank} ${x.name}` },
              { name: t("Negative"), cell: (x) => figure(x), num: true },
            ],
            spots,
            { caption: t("Hot spots") },
          )
        : emptyState(title),
    csv: () => ({
      title: "Hot spots",
      without: WITHOUT,
      columns: ["rank", "place", "lon", "lat", ...FIGURE_COLUMNS],
      rows: spots.map((x) => [x.rank, x.name, x.lon, x.lat, ...figureCells(x)]),
    }),
    picture: () => ({
      title,
      subtitle: t("Share of negative reviews by place"),
      without: WITHOUT,
      svg: (w) => draw(w, 480),
    }),
  };
}

function sure(o) {
  const a = o.model?.accuracy,
    out = (o.rows.rejected || 0) + (o.rows.duplicate || 0),
    base = Object.entries(a?.baselines || {}).filter(([, v]) => v?.value !== undefined && v.value !== null);
  const named = { tfidf: t("Counting words (TF-IDF)"), fasttext: "fastText" };
  const rows =
    a?.value !== undefined && a?.value !== null
      ? [[t("This model"), a], ...base.map(([k, v]) => [named[k] || t(k), v])]
      : [];
  return {
    title: rows.length
      ? t("The model is right on {share} ({range}) of the labelled test reviews", {
          share: pct(a.value),
          range: range(a.low, a.high),
        })
      : t("How sure: nothing is labelled, so the model's accuracy is not known"),
    subtitle: rows.length
      ? t("Accuracy with its 95% range, {reviews} the model had not seen", { reviews: plural(a.n, "review") })
      : "",
    body: h(
      "div",
      null,
      rows.length
        ? h(
            "ul",
            { class: "dot-rows dot-rows-plain" },
            rows.map(([name, v]) =>
              h(
                "li",
                null,
                h("span", null, name),
                track({ ...v, reliability: "ok" }, {}),
                h(
                  "span",
                  { class: "dot-figure" },
                  h("b", null, pct(v.value)),
                  " ",
                  h("span", { class: "range" }, range(v.low, v.high)),
                ),
              ),
            ),
          )
        : null,
      h(
        "p",
        null,
        t("{rows} read = {loaded} loaded + {rejected} rejected + {duplicate} duplicate.", {
          rows: plural(o.rows.read, "row"),
          loaded: count(o.rows.loaded),
          rejected: count(o.rows.rejected),
          duplicate: count(o.rows.duplicate),
        }),
      ),
      out
        ? h(
            "details",
            { class: "left-out" },
            h("summary", null, t("{rows} left out, and why", { rows: plural(out, "row") })),
            o.excluded.length
              ? h(
                  "ul",
                  { class: "plain" },
                  o.excluded.map((x) => h("li", null, `${t(x.rule.replaceAll("_", " "))}: ${count(x.rows)}`)),
                )
              : h("p", { class: "muted" }, t("By rule: not recorded.")),
          )
        : h("p", { class: "muted" }, t("Nothing was left out.")),
      o.model?.replaced_by
        ? h(
            "p",
            null,
            t(
              "The figures still rest on model {old}, which {new} replaced. The next run or close predicts anew.",
              {
                old: o.model.version,
                new: o.model.replaced_by,
              },
            ),
          )
        : null,
      h(
        "p",
        { class: "muted" },
        o.model ? t("Model {name}.", { name: o.model.version }) : t("No model yet: the stars are counted."),
        " ",
        h("a", { href: href("try") }, t("Try it on a text")),
      ),
    ),
  };
}

export default {
  question: t("Are customers happier, and what should I look at?"),
  inactive: { sentiment: SENTIMENT, q: WORDS },
  mount(root, ctx) {
    const cards = {
      headline: card({
        id: "headline",
        className: "wide card-headline",
        title: t("Negative reviews"),
        subtitle: "…",
        minHeight: 104,
        phoneHeight: 132,
        lines: 3,
      }),
      changes: card({
        id: "changes",
        className: "wide",
        title: t("What changed"),
        subtitle: "…",
        minHeight: 236,
        phoneHeight: 580,
      }),
      time: card({ id: "time", title: t("Over time"), minHeight: 244 }),
      segments: card({ id: "segments", title: t("Segments"), minHeight: 244 }),
      where: card({ id: "where", title: t("Where"), minHeight: 300 }),
      sure: card({ id: "sure", title: t("How sure"), minHeight: 300 }),
    };
    root.append(
      h(
        "div",
        { class: "cards" },
        Object.values(cards).map((c) => c.el),
      ),
      h(
        "p",
        { class: "caption" },
        h("a", { id: "to-reports", href: href("reports") }, t("Make this a report")),
      ),
    );
    return {
      async update() {
        document.querySelector("#to-reports")?.setAttribute("href", href("reports"));
        const params = queryParams({ without: WITHOUT });
        const p = period();
        const ask = (signal) =>
          get(
            "overview",
            p?.chosen || Object.keys(params).some((k) => !["start", "end", "source"].includes(k))
              ? params
              : { source: params.source },
            signal,
          );
        const one = (c, fn) => c.load(async (signal) => fn(await ask(signal), signal));
        await Promise.all([
          one(cards.headline, (o, signal) => {
            ctx.matching(o.headline.n_reviews);
            say(
              isEmpty(o)
                ? t("No reviews match.")
                : `${t("Negative reviews")}: ${written(o.headline)}. ${o.change.sentence}`,
            );
            return headline(o, signal);
          }),
          one(cards.changes, async (o, signal) =>
            isEmpty(o)
              ? { title: t("What changed"), subtitle: "", body: emptyState(NONE) }
              : {
                  title: changeTitle(o.changes),
                  subtitle: o.period.previous_start
                    ? t(
                        "{dates} against {before}; every change named here passed a test that allows for how many were looked at",
                        {
                          dates: dates(o.period.start, o.period.end),
                          before: dates(o.period.previous_start, o.period.previous_end),
                        },
                      )
                    : t("No earlier period to compare."),
                  body: h("div", null, changeRows(o.changes, { since: await lastLook(o, signal) })),
                  csv: () => ({
                    title: "What changed",
                    without: WITHOUT,
                    columns: [
                      "mark",
                      "kind",
                      "name",
                      "points",
                      "low",
                      "high",
                      "n_customers",
                      "n_reviews",
                      "sentence",
                    ],
                    rows: o.changes.proven.map((x) => [
                      x.mark,
                      x.kind,
                      x.name,
                      x.points,
                      x.low,
                      x.high,
                      x.n_customers,
                      x.n_reviews,
                      x.sentence,
                    ]),
                  }),
                },
          ),
          one(cards.time, overTime),
          one(cards.segments, segments),
          one(cards.where, where),
          one(cards.sure, sure),
        ]);
      },
      unmount() {
        Object.values(cards).forEach((c) => c.cancel());
      },
    };
  },
};
