// Segments: "Who are they, who is unhappy, who moved?"
import { get } from "../api.js";
import { card, emptyState, table } from "../card.js";
import { drawn, h, s, say } from "../dom.js";
import {
  badge,
  drawable,
  figure,
  hasPoint,
  isHidden,
  lineOfAll,
  mark,
  niceMax,
  symbol,
  track,
  written,
  proofButton,
  proofKey,
} from "../figure.js";
import { FIGURE_COLUMNS, figureCells } from "../export.js";
import { count, date, day, addDays, fixed, iso, number, pct, plural, pointSpan, versus } from "../format.js";
import { t, tn } from "../language.js";
import { dotRows, dumbbells, flows, weekly } from "../charts.js";
import { queryParams, filtersOf, here, href, period, state } from "../state.js";
import { MARKS, WHY } from "../words.js";

const WITHOUT = ["sentiment", "q", "segment"];
// The stored sentence begins with the size, "156 customers: …"; beside the size itself only the rest is said.
const traits = (x) => x.sentence.replace(/^[\d,.\s]+ \p{L}+: /u, "");
const membersOf = (n, unit) => (unit === "review" ? plural(n, "review") : plural(n, "customer"));
const size = (n) => (n === null || n === undefined ? "[c]" : count(n));

// The mark of a segment comes from the test behind "what changed", never from overlap.
function marksOf(ch) {
  const out = {};
  for (const p of ch?.proven || []) {
    if (p.kind !== "segment" || p.mark === "event") continue;
    const id = new URLSearchParams((p.evidence || "").split("?")[1] || "").get("segment") || p.name;
    out[id] = p;
    out[p.name] = p;
  }
  return out;
}

const stable = (x) =>
  x.stability === null || x.stability === undefined
    ? h("span", { class: "muted" }, `[x] ${t("stable")}`)
    : h(
        "span",
        { title: WHY.Stable },
        t("{share} stable", { share: pct(x.stability) }),
        x.stability < 0.75 ? h("span", { class: "muted" }, t(", loosely defined")) : null,
      );

function list(d, ch, unit) {
  const marks = marksOf(ch),
    items = d.items,
    max = niceMax(items.map((x) => x.share_negative)),
    compare = (state.query.compare || "").split(",").filter(Boolean);
  const many = (n) =>
    n === null || n === undefined
      ? `[c] ${unit === "review" ? t("reviews") : t("customers")}`
      : membersOf(n, unit);
  const apart = new Set((ch?.not_comparable || []).map((x) => x.name)),
    tested = Boolean(ch?.tested);
  const change = (x) => {
    const p = marks[x.id] || marks[x.name];
    if (!p && !drawable(x.share_negative)) return null; // no share, so nothing was tested
    if (!p && apart.has(`[${x.id}] ${x.name}`)) return mark("not_comparable");
    if (!p && ch && !tested) return h("span", { class: "muted" }, t("not tested"));
    return p
      ? proofButton(
          proofKey("segment", p.name),
          mark(p.mark, `${MARKS[p.mark]}: ${pointSpan(p.low, p.high)}`),
        )
      : ch
        ? mark("none")
        : h("span", { class: "muted" }, "[x]");
  };
  const toggle = (id) => (e) => {
    const next = e.target.checked ? [...compare, id].slice(-2) : compare.filter((c) => c !== id);
    go(here({ compare: next.join(",") }));
  };
  const go = list.navigate;
  return h(
    "ul",
    { class: "seg-list" },
    items.map((x) =>
      h(
        "li",
        { class: `seg-row${state.query.open === x.id ? " on" : ""}` },
        h(
          "label",
          { class: "seg-check" },
          h("input", {
            type: "checkbox",
            checked: compare.includes(x.id),
            "aria-label": t("Compare {name}", { name: `${x.id} ${x.name}` }),
            on: { change: toggle(x.id) },
          }),
        ),
        h(
          "div",
          { class: "seg-name" },
          h(
            "a",
            {
              class: "seg-link",
              href: here({ open: state.query.open === x.id ? "" : x.id }),
              "aria-expanded": String(state.query.open === x.id),
            },
            badge(x.id),
            h("strong", null, x.name),
          ),
          h("p", { class: "caption" }, traits(x)),
        ),
        h(
          "div",
          { class: "seg-size" },
          h("span", null, many(x.size)),
          h(
            "span",
            { class: "caption" },
            x.share === null || x.share === undefined ? "" : t("{share} of all", { share: pct(x.share) }),
          ),
        ),
        h("div", { class: "seg-track" }, track(x.share_negative, { max, line: list.all })),
        h(
          "div",
          { class: "seg-figure" },
          figure(x.share_negative, { unsure: true }),
          isHidden(x.share_negative) && x.size
            ? h("span", { class: "caption" }, ` ${t("too few wrote in these days")}`)
            : null,
        ),
        h("div", { class: "seg-mark" }, change(x), h("span", { class: "caption" }, stable(x))),
      ),
    ),
  );
}

function title(d) {
  const n = d.items.length;
  if (!n) return t("No segments yet");
  return [
    plural(n, "segment"),
    d.since ? `, ${t("names kept since {date}", { date: date(d.since) })}` : "",
    d.moved_share !== null && d.moved_share !== undefined
      ? ` · ${t("{share} of customers moved", { share: pct(d.moved_share, d.moved_share < 0.1 ? 1 : 0) })}`
      : "",
  ].join("");
}

const csvOf = (d) => ({
  title: "Segments",
  without: WITHOUT,
  columns: ["segment", "name", "sentence", "size", "share_of_all", "stability", ...FIGURE_COLUMNS],
  rows: d.items.map((x) => [
    x.id,
    x.name,
    x.sentence,
    x.size ?? "[c]",
    x.share ?? "",
    x.stability ?? "",
    ...figureCells(x.share_negative),
  ]),
});

function moved(d) {
  if (!d.migration.length)
    return {
      title: t("Who moved"),
      subtitle: "",
      body: h(
        "div",
        null,
        emptyState(
          t("Who moved is known after a second run of the segments. Next step: sca run again next week."),
        ),
        events(d),
      ),
    };
  const names = Object.fromEntries(d.items.map((x) => [x.id, x.name])),
    between = d.migration.filter((m) => m.from !== m.to),
    shown = between.filter((m) => m.n !== null),
    hidden = between.length - shown.length;
  const total = shown.reduce((sum, m) => sum + m.n, 0),
    who = (id, other) => (id ? [badge(id), " ", names[id] || ""] : other);
  const rows = [...between].sort((a, b) => (b.n ?? -1) - (a.n ?? -1));
  const wide =
    matchMedia("(min-width: 720px)").matches && new Set(d.migration.flatMap((m) => [m.from, m.to])).size <= 9;
  const tab = () =>
    table(
      [
        {
          name: t("From"),
          cell: (m) => who(m.from, t("new customers")),
          sort: (m) => m.from || "",
          num: false,
        },
        { name: t("To"), cell: (m) => who(m.to, t("left")), sort: (m) => m.to || "", num: false },
        {
          name: t("Customers"),
          cell: (m) => (m.n === null ? h("abbr", { title: WHY["Hidden [c]"] }, "[c]") : count(m.n)),
          sort: (m) => m.n,
          num: true,
        },
      ],
      rows,
      { caption: t("Customers who changed segment") },
    );
  const foot = h(
    "p",
    { class: "caption" },
    hidden
      ? `${tn("{n} flow under 10 customers hidden [c].", "{n} flows under 10 customers hidden [c].", hidden)} `
      : "",
    t("Since the run before."),
  );
  const view = {
    title: tn("{n} customer changed segment", "{n} customers changed segment", total, { n: count(total) }),
    subtitle:
      d.moved_share !== null && d.moved_share !== undefined
        ? t("{share} of all customers, since the run before", { share: pct(d.moved_share, 1) })
        : "",
    caption: h("div", null, foot, events(d)),
    csv: () => ({
      title: "Who moved",
      columns: ["from", "to", "customers"],
      rows: d.migration.map((m) => [m.from ?? "new", m.to ?? "left", m.n ?? "[c]"]),
    }),
  };
  return wide
    ? {
        ...view,
        chartName: t("Flows"),
        chart: () =>
          drawn(h("div", { class: "plot" }), (w) => flows(d.migration, names, { width: w, height: 280 })),
        table: tab,
        picture: () => ({
          title: view.title,
          subtitle: view.subtitle,
          svg: (w) => flows(d.migration, names, { width: w }),
        }),
      }
    : { ...view, body: tab() };
}
const events = (d) =>
  d.events.length
    ? h(
        "ul",
        { class: "events" },
        d.events.map((e) => h("li", null, mark("event", ""), " ", e.at ? `${date(e.at)}: ` : "", e.sentence)),
      )
    : null;

function evidence(d) {
  const rows = d.evidence || [];
  if (!rows.length)
    return { title: t("Why this many"), body: emptyState(t("No evidence was stored with this run.")) };
  const cols = Object.keys(rows[0]).filter((k) => k !== "k" && rows.some((r) => typeof r[k] === "number")),
    nice = {
      inertia: t("Inertia"),
      silhouette: t("Silhouette"),
      simplified_silhouette: t("Simplified silhouette"),
      calinski_harabasz: "Calinski–Harabasz",
      stability: t("Stability"),
      smallest: t("Smallest segment"),
      smallest_share: t("Share of the smallest segment"),
      min_share: t("Share of the smallest segment"),
    };
  return {
    title: tn("Why {n} segment", "Why {n} segments", d.chosen_k ?? d.items.length),
    subtitle: t("What each number of groups would give; the chosen one is marked"),
    body: table(
      [
        {
          name: t("Groups"),
          cell: (r) => (r.k === d.chosen_k ? h("strong", null, t("{n} chosen", { n: r.k })) : String(r.k)),
          sort: (r) => r.k,
          num: false,
        },
        ...cols.map((c) => ({
          name: nice[c] || c.replaceAll("_", " "),
          cell: (r) =>
            rows.every((x) => Math.abs(x[c] ?? 0) < 10) && Number.isFinite(r[c]) && !Number.isInteger(r[c])
              ? fixed(r[c], 2)
              : number(r[c]),
          sort: (r) => r[c],
          num: true,
        })),
      ],
      rows,
      {
        caption: t("Evidence for the number of segments"),
        rowClass: (r) => (r.k === d.chosen_k ? "chosen" : null),
      },
    ),
    caption: h(
      "p",
      { class: "caption" },
      t(
        "Inertia: spread inside groups, lower is tighter. Silhouette, Calinski–Harabasz: higher is further apart. Stability: 1 means the same groups when customers are drawn again.",
      ),
    ),
    csv: () => ({
      title: "Evidence for the number of segments",
      columns: ["k", ...cols],
      rows: rows.map((r) => [r.k, ...cols.map((c) => r[c])]),
    }),
  };
}

// A share of negative reviews is printed with its range or not at all; here it is a feature, the mean of the customers' own shares.
const SENTIMENT = ["share_negative", "p_negative"];
const value = (p, v) => (SENTIMENT.includes(p.feature) ? "" : number(v));
const profileText = (p) =>
  SENTIMENT.includes(p.feature)
    ? p.difference_sd > 0
      ? t("higher than all")
      : t("lower than all")
    : `${number(p.value)} · ${t("all {value}", { value: number(p.all) })}`;

function opened(x, unit) {
  const rows = [...x.profile]
      .filter((p) => p.difference_sd !== null)
      .sort((a, b) => Math.abs(b.difference_sd) - Math.abs(a.difference_sd)),
    pts = x.over_time || [];
  const shown = rows.slice(0, 6).map((p) => ({
    label: p.label || p.feature,
    points: [{ id: x.id, sd: p.difference_sd }],
    text: profileText(p),
  }));
  const subtitle = [x.size === null ? "[c]" : membersOf(x.size, unit), traits(x)].join(" · ");
  return {
    title: [badge(x.id), ` ${t("{name}: what sets it apart", { name: x.name })}`],
    subtitle,
    body: h(
      "div",
      { class: "opened" },
      h(
        "div",
        null,
        h("h3", null, t("Against all customers")),
        h(
          "p",
          { class: "caption" },
          t(
            "Distance of the segment's centre from all (middle line), in standard deviations; beside it the values themselves. The segments were made from these values, sentiment among them.",
          ),
        ),
        shown.length ? dumbbells(shown, [x.id]) : emptyState(t("No profile was stored.")),
        rows.length > 6
          ? h(
              "details",
              null,
              h("summary", null, t("All {n} features", { n: rows.length })),
              table(
                [
                  { name: t("Feature"), cell: (p) => p.label || p.feature, sort: (p) => p.label, num: false },
                  {
                    name: `${t("Segment")} ${x.id}`,
                    cell: (p) => value(p, p.value),
                    sort: (p) => p.value,
                    num: true,
                  },
                  { name: t("All"), cell: (p) => value(p, p.all), sort: (p) => p.all, num: true },
                  {
                    name: t("Difference, SD"),
                    cell: (p) => number(p.difference_sd),
                    sort: (p) => p.difference_sd,
                    num: true,
                  },
                ],
                rows,
                { caption: t("Profile") },
              ),
            )
          : null,
      ),
      h(
        "div",
        null,
        h("h3", null, t("Words named more often than elsewhere")),
        h(
          "p",
          null,
          x.words.length
            ? x.words.map((w, i) => [
                i ? ", " : "",
                h("a", { href: href("reviews", { segment: x.id, q: w }, { keep: filtersOf() }) }, w),
              ])
            : h("span", { class: "muted" }, t("None stand out.")),
          h("span", { class: "caption" }, ` ${t("(association, not cause)")}`),
        ),
        h("h3", null, t("In their words")),
        x.quotes.length
          ? x.quotes
              .slice(0, 2)
              .map((q) =>
                h(
                  "blockquote",
                  null,
                  h("p", { lang: q.lang }, `“${q.text}”`),
                  h(
                    "footer",
                    { class: "caption" },
                    [q.reviewed_at ? date(q.reviewed_at) : null, q.region].filter(Boolean).join(" · "),
                  ),
                ),
              )
          : h("p", { class: "muted" }, t("No quote that may be shown.")),
        h("h3", null, t("Negative reviews by week")),
        pts.some(drawable)
          ? drawn(h("div", { class: "plot plot-small" }), (w) =>
              weekly(pts, {
                width: w,
                height: 220,
                address: (p) =>
                  href("reviews", { segment: x.id, start: p.week, end: iso(addDays(day(p.week), 6)) }),
                mark: period(),
                name: t("Negative reviews of segment {id} by week", { id: x.id }),
              }),
            )
          : h("p", { class: "muted" }, t("Too few reviews per week to draw.")),
        h(
          "p",
          null,
          figure(x.share_negative, { unsure: true }),
          ` ${t("in the period.")} `,
          h("a", { href: here({ open: "" }) }, t("Close")),
          " · ",
          h("a", { href: href("map", { segment: x.id }) }, t("Where they are")),
        ),
      ),
    ),
    csv: () => ({
      title: `Profile of segment ${x.id}`,
      columns: ["feature", "label", "segment", "all", "difference_sd"],
      rows: rows.map((p) => [p.feature, p.label, p.value, p.all, p.difference_sd]),
    }),
  };
}

function compared(a, b) {
  const of = (x) => Object.fromEntries(x.profile.map((p) => [p.feature, p])),
    A = of(a),
    B = of(b);
  const rows = Object.keys(A)
    .filter((k) => B[k])
    .map((k) => ({
      k,
      label: A[k].label || k,
      a: A[k],
      b: B[k],
      gap: Math.abs((A[k].difference_sd ?? 0) - (B[k].difference_sd ?? 0)),
    }))
    .sort((x, y) => y.gap - x.gap);
  return {
    title: [badge(a.id), ` ${a.name} ${t("and")} `, badge(b.id), ` ${b.name}`],
    subtitle: t(
      "Both centres against all customers (middle line), in standard deviations; the widest gap first. The groups were made from these values, so no test is made here.",
    ),
    chart: () =>
      dumbbells(
        rows.slice(0, 10).map((r) => ({
          label: r.label,
          points: [
            { id: a.id, sd: r.a.difference_sd ?? 0 },
            { id: b.id, sd: r.b.difference_sd ?? 0 },
          ],
          text: SENTIMENT.includes(r.k) ? "" : `${number(r.a.value)} · ${number(r.b.value)}`,
        })),
        [a.id, b.id],
      ),
    table: () =>
      table(
        [
          { name: t("Feature"), cell: (r) => r.label },
          { name: a.id, cell: (r) => value(r.a, r.a.value), num: true },
          { name: b.id, cell: (r) => value(r.b, r.b.value), num: true },
          { name: t("All"), cell: (r) => value(r.a, r.a.all), num: true },
        ],
        rows,
        { caption: t("Two segments compared") },
      ),
    csv: () => ({
      title: `Segments ${a.id} and ${b.id}`,
      columns: ["feature", a.id, b.id, "all"],
      rows: rows.map((r) => [r.label, r.a.value, r.b.value, r.a.all]),
    }),
  };
}

export default {
  question: t("Who are they, who is unhappy, who moved?"),
  inactive: {
    sentiment: t("Sentiment does not act here: a share of negative reviews needs all of them."),
    q: t("Words act only in Reviews."),
    segment: t("Segment does not act here: all of them are listed; open one below."),
  },
  mount(root, ctx) {
    list.navigate = (url) => ctx.navigate(url);
    const all = card({
      id: "segment-list",
      className: "wide",
      title: t("Segments"),
      subtitle: "…",
      minHeight: 348,
      phoneHeight: 700,
      lines: 6,
    });
    const cmp = card({ id: "compare", className: "wide", minHeight: 286 }),
      open = card({ id: "open", className: "wide", minHeight: 320 });
    const move = card({ id: "moved", title: t("Who moved"), minHeight: 200 }),
      why = card({ id: "evidence", title: t("Why this many"), minHeight: 200 });
    const cards = h("div", { class: "cards" }, all.el, cmp.el, open.el, move.el, why.el);
    root.append(cards);
    return {
      async update() {
        const params = queryParams({ without: WITHOUT }),
          q = state.query,
          pair = (q.compare || "").split(",").filter(Boolean);
        cmp.el.hidden = pair.length < 2;
        open.el.hidden = !q.open;
        const jobs = [
          all.load(async (signal) => {
            const [d, ch, o] = await Promise.all([
              get("segments", params, signal),
              get("changes", params, signal).catch(() => null),
              get("shares", { ...params, by: "overall" }, signal).catch(() => null),
            ]);
            const overall = o?.items?.[0];
            list.all = hasPoint(overall) ? overall.value : null;
            ctx.matching(overall?.n_reviews);
            const p = period();
            if (!d.items.length)
              return {
                title: t("No segments yet"),
                subtitle: "",
                body: emptyState(t("No run of the segments is stored. Next step: sca segment, then reload.")),
              };
            return {
              title: title(d),
              subtitle: [
                d.unit === "review"
                  ? `${t("Segments of reviews, not of people: this source has no customers.")} `
                  : "",
                [
                  `${t("Share of negative reviews")}${p ? `, ${versus(p)}` : ""}`,
                  t("dot and 95% range"),
                  ...(list.all !== null ? [lineOfAll(overall)] : []),
                ].join("; "),
              ],
              chartName: t("List"),
              chart: () => list(d, ch, d.unit),
              caption: h(
                "p",
                { class: "caption" },
                pair.length === 1
                  ? t("Choose a second segment to compare.")
                  : t("Tick two segments to compare them; open one by its name."),
              ),
              table: () =>
                table(
                  [
                    {
                      name: t("Segment"),
                      cell: (x) => [badge(x.id), " ", x.name],
                      sort: (x) => x.id,
                      num: false,
                    },
                    { name: t("Size"), cell: (x) => size(x.size), sort: (x) => x.size, num: true },
                    { name: t("Share of all"), cell: (x) => pct(x.share), sort: (x) => x.share, num: true },
                    {
                      name: t("Negative"),
                      cell: (x) => figure(x.share_negative, { n: false }),
                      sort: (x) => x.share_negative.value,
                      num: true,
                    },
                    {
                      name: t("Reviews"),
                      cell: (x) =>
                        isHidden(x.share_negative)
                          ? symbol(x.share_negative)
                          : count(x.share_negative.n_reviews),
                      sort: (x) => x.share_negative.n_reviews,
                      num: true,
                    },
                    { name: t("Stable"), cell: (x) => pct(x.stability), sort: (x) => x.stability, num: true },
                  ],
                  d.items,
                  { caption: t("Segments") },
                ),
              csv: () => csvOf(d),
              picture: () => ({
                title: title(d),
                subtitle: t("Share of negative reviews by segment, dot and 95% range"),
                without: WITHOUT,
                svg: (w) =>
                  dotRows(
                    d.items.map((x) => ({ label: `${x.id} ${x.name}`, figure: x.share_negative })),
                    {
                      width: w,
                      line: list.all,
                      lineName: list.all !== null ? t("all {share}", { share: written(overall) }) : "",
                    },
                  ),
              }),
            };
          }),
          move.load(async (signal) => moved(await get("segments", params, signal))),
          why.load(async (signal) => evidence(await get("segments", params, signal))),
        ];
        if (pair.length >= 2)
          jobs.push(
            cmp.load(async (signal) =>
              compared(
                ...(await Promise.all(
                  pair.slice(0, 2).map((id) => get(`segments/${encodeURIComponent(id)}`, params, signal)),
                )),
              ),
            ),
          );
        if (q.open)
          jobs.push(
            open.load(async (signal) => {
              const x = await get(`segments/${encodeURIComponent(q.open)}`, params, signal);
              say(t("Opened {name}.", { name: `${x.id} ${x.name}` }));
              return opened(x);
            }),
          );
        await Promise.all(jobs);
      },
      unmount() {
        [all, cmp, open, move, why].forEach((c) => c.cancel());
      },
    };
  },
};
