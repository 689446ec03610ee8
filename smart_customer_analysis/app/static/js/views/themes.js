// Themes: "What do they praise, and what do they complain about?"
import { forget, fresh, get, post, remove } from "../api.js";
import { card, emptyState, failedState, table } from "../card.js";
import { dotRows, weekly } from "../charts.js";
import { clear, drawn, h, say, uid } from "../dom.js";
import { nothing } from "../empty.js";
import { FIGURE_COLUMNS, figureCells } from "../export.js";
import { drawable, figure, isHidden, mark, niceMax, proofButton, proofKey, track } from "../figure.js";
import { addDays, count, date, day, iso, pct, plural, pointSpan, versus } from "../format.js";
import { t } from "../language.js";
import { filtersOf, here, href, meta, period, queryParams, scopeText, state } from "../state.js";
import { MARKS } from "../words.js";

const WITHOUT = ["sentiment", "q", "theme"];
const OTHER = "other";

// The mark of a theme comes from the test behind "what changed", never from overlap.
function change(x, ch) {
  if (x.id === OTHER || !drawable(x.share_negative)) return null;
  if (!ch) return h("span", { class: "muted" }, "[x]");
  const p = ch.proven.find((c) => c.kind === "theme" && c.name === x.id);
  if (!p) return ch.tested ? mark("none") : h("span", { class: "muted" }, t("not tested"));
  return proofButton(
    proofKey("theme", p.name),
    mark(p.mark, `${MARKS[p.mark]}: ${pointSpan(p.low, p.high)}`),
  );
}

const quotes = (kind, list) =>
  list.length
    ? h(
        "div",
        null,
        h("h3", { class: "caption" }, kind),
        list
          .slice(0, 2)
          .map((q) =>
            h(
              "blockquote",
              null,
              h("p", { lang: q.lang, dir: "auto" }, `“${q.text}”`),
              q.reviewed_at ? h("footer", { class: "caption" }, date(q.reviewed_at)) : null,
            ),
          ),
      )
    : null;

const many = (x) => (x.sentences === null ? `[c] ${t("sentences")}` : plural(x.sentences, "sentence"));

function row(x, ch, max) {
  const isOpen = state.query.open === x.id,
    door = href("reviews", { theme: x.id }, { keep: { ...filtersOf(), theme: "" } });
  return h(
    "li",
    { class: `theme-row${isOpen ? " on" : ""}` },
    h(
      "div",
      { class: "theme-name" },
      x.id === OTHER || isHidden(x.share_negative)
        ? h("strong", null, x.name)
        : h("a", { href: door, class: "seg-link" }, h("strong", null, x.name)),
      h("p", { class: "caption" }, x.words.slice(0, 6).join(" · ")),
    ),
    h(
      "div",
      { class: "seg-size" },
      h("span", null, many(x)),
      h("span", { class: "caption" }, x.share === null ? "" : t("{share} of all", { share: pct(x.share) })),
    ),
    h("div", { class: "seg-track" }, track(x.share_negative, { max })),
    h("div", { class: "seg-figure" }, figure(x.share_negative)),
    h(
      "div",
      { class: "seg-mark" },
      change(x, ch),
      x.id === OTHER || isHidden(x.share_negative)
        ? null
        : h(
            "a",
            { class: "caption", href: here({ open: isOpen ? "" : x.id }), "aria-expanded": String(isOpen) },
            isOpen ? t("Close") : t("When, who and where"),
            h("span", { class: "sr" }, ` ${x.name}`),
          ),
    ),
    x.complaint.length || x.praise.length
      ? h(
          "div",
          { class: "theme-quotes" },
          quotes(t("Typical complaints"), x.complaint),
          quotes(t("Typical praise"), x.praise),
        )
      : null,
  );
}

const csvOf = (d) => ({
  title: "Themes",
  without: WITHOUT,
  columns: ["theme", "name", "words", "sentences", "share_of_sentences", ...FIGURE_COLUMNS],
  rows: d.items.map((x) => [
    x.id,
    x.name,
    x.words.join(" "),
    x.sentences ?? "[c]",
    x.share ?? "",
    ...figureCells(x.share_negative),
  ]),
});

const columns = [
  { name: t("Theme"), cell: (x) => x.name, sort: (x) => x.name, num: false },
  { name: t("Sentences"), cell: (x) => (x.sentences === null ? "[c]" : count(x.sentences)), num: true },
  { name: t("Share of all"), cell: (x) => pct(x.share), sort: (x) => x.share, num: true },
  {
    name: t("Negative"),
    cell: (x) => figure(x.share_negative, { n: false }),
    sort: (x) => x.share_negative.value,
    num: true,
  },
  { name: t("Customers"), cell: (x) => count(x.share_negative.n_customers ?? undefined), num: true },
];

function listView(d, ch, edits, act) {
  const p = period(),
    named = d.items.filter((x) => x.id !== OTHER),
    max = niceMax(d.items.map((x) => x.share_negative)),
    title = `${plural(named.length, "theme")}${d.since ? `, ${t("read on {date}", { date: date(d.since) })}` : ""}`;
  return {
    title,
    subtitle: `${t("How much of what is said about each is negative")}${p ? `, ${versus(p)}` : ""}; ${t("dot and 95% range, 0 to {end}", { end: pct(max) })}`,
    chartName: t("List"),
    chart: () =>
      h(
        "ul",
        { class: "theme-list" },
        d.items.map((x) => row(x, ch, max)),
      ),
    caption: h(
      "div",
      null,
      h(
        "p",
        { class: "caption" },
        d.basis,
        ` ${t("The range has the customer as its unit. A name opens the reviews. Sentences quoted are of all reviews, whatever the filters.")}`,
      ),
      inForce(edits, act),
      d.events.length
        ? h(
            "ul",
            { class: "events" },
            d.events.map((e) => h("li", null, mark("event", ""), " ", e.sentence)),
          )
        : null,
    ),
    table: () => table(columns, d.items, { caption: t("Themes") }),
    csv: () => csvOf(d),
    picture: () => ({
      title,
      subtitle: t("Share of what is said about each theme that is negative, dot and 95% range"),
      without: WITHOUT,
      svg: (w) =>
        dotRows(
          d.items.map((x) => ({ label: x.name, figure: x.share_negative })),
          { width: w },
        ),
    }),
  };
}

const LABELLER = "sca-labeller"; // the name of the one who labels, as the view of labels keeps it
const kept = () => {
  try {
    return localStorage.getItem(LABELLER) || "";
  } catch {
    return ""; // a browser may forbid it
  }
};

const keep = (name) => {
  try {
    localStorage.setItem(LABELLER, name);
  } catch {
    /* a browser may forbid it */
  }
};

// What a person changes of a theme. Each change is recorded with the name, and taken back with one click.
function changes(x, act) {
  const by = h("input", { type: "text", id: uid("by"), maxlength: 80, autocomplete: "name", value: kept() }),
    name = h("input", { type: "text", id: uid("name"), maxlength: 80, value: x.name }),
    others = meta.themes.filter((other) => other.id !== x.id),
    goal = h(
      "select",
      { id: uid("goal") },
      others.map((other) => h("option", { value: other.id }, other.name)),
    ),
    trouble = h("div", { role: "alert" });
  const send = async (edit) => {
    const who = by.value.trim();
    if (!who) {
      say(t("Write your name first: changes say who made them."));
      by.focus();
      return;
    }
    keep(who);
    try {
      await act(() => post("theme-edits", { theme: x.id, by: who, source: state.query.source, ...edit }));
    } catch (err) {
      clear(trouble, failedState(err, null, t("Nothing was changed.")));
    }
  };
  const button = (text, edit) =>
    h("button", { type: "button", class: "button", on: { click: () => send(edit()) } }, text);
  const field = (text, input) =>
    h("label", { class: "pill" }, h("span", { class: "pill-label" }, text, input));
  return h(
    "details",
    { class: "theme-change" },
    h("summary", null, t("Change this theme")),
    h("div", { class: "theme-fields" }, field(t("Your name"), by)),
    h(
      "div",
      { class: "theme-fields" },
      field(t("Name of the theme"), name),
      button(t("Rename"), () => ({ name: name.value.trim() })),
    ),
    others.length
      ? h(
          "div",
          { class: "theme-fields" },
          field(t("Its sentences go to"), goal),
          button(t("Join"), () => ({ merge_into: goal.value })),
        )
      : null,
    h(
      "div",
      { class: "theme-fields" },
      button(t("Hide this theme"), () => ({ hide: true })),
    ),
    trouble,
    h(
      "p",
      { class: "caption" },
      t("The next run keeps what is changed. Every change stands below the list, and is taken back there."),
    ),
  );
}

// The changes in force, each with its way back.
function inForce(list, act) {
  if (!list.length) return null;
  const undo = (x) => () => {
    if (!kept()) {
      say(t("Open a theme and write your name first: changes say who made them."));
      return;
    }
    act(() => remove("theme-edits", { edit_id: x.edit_id, by: kept(), source: state.query.source })).catch(
      (err) => say(t("Nothing was changed: {why}", { why: err.message })),
    );
  };
  return h(
    "ul",
    { class: "events" },
    list.map((x) =>
      h(
        "li",
        null,
        `${t("{change}, by {name}, {date}", { change: x.sentence, name: x.by, date: date(x.at) })} `,
        h(
          "button",
          { type: "button", class: "linklike", on: { click: undo(x) } },
          t("Undo"),
          h("span", { class: "sr" }, ` ${x.sentence}`),
        ),
      ),
    ),
  );
}

function opened(x, act) {
  const groups = (name, list) => [
    h("h3", null, name),
    list.length
      ? table(
          [
            { name, cell: (g) => g.name, sort: (g) => g.name, num: false },
            { name: t("Negative"), cell: (g) => figure(g), sort: (g) => g.value, num: true },
          ],
          list,
          { caption: `${x.name}: ${name}` },
        )
      : h("p", { class: "muted" }, t("Nothing that may be shown.")),
  ];
  return {
    title: x.name,
    subtitle: x.sentence,
    body: h(
      "div",
      { class: "opened" },
      h(
        "div",
        null,
        h("h3", null, t("Week by week")),
        x.over_time.some(drawable)
          ? drawn(h("div", { class: "plot plot-small" }), (w) =>
              weekly(x.over_time, {
                width: w,
                height: 220,
                address: (p) =>
                  href("reviews", { theme: x.id, start: p.week, end: iso(addDays(day(p.week), 6)) }),
                mark: period(),
                name: t("Share of what is said about {name} that is negative, by week", { name: x.name }),
              }),
            )
          : h("p", { class: "muted" }, t("Too few customers in each week to draw one.")),
        h(
          "p",
          null,
          h("a", { href: href("map", { theme: x.id }) }, t("Where the reviews that speak of it come from")),
          " · ",
          h("a", { href: here({ open: "" }) }, t("Close")),
        ),
        changes(x, act),
      ),
      h("div", null, groups(t("Segment"), x.by_segment), groups(t("Region"), x.by_region)),
    ),
    csv: () => ({
      title: `Theme ${x.name}`,
      without: WITHOUT,
      columns: ["kind", "key", "name", ...FIGURE_COLUMNS],
      rows: [
        ...x.by_segment.map((g) => ["segment", g.key, g.name, ...figureCells(g)]),
        ...x.by_region.map((g) => ["region", g.key, g.name, ...figureCells(g)]),
        ...x.over_time.map((g) => ["week", g.week, "", ...figureCells(g)]),
      ],
    }),
  };
}

export default {
  question: t("What do they praise, and what do they complain about?"),
  inactive: {
    sentiment: t("Sentiment does not act here: a share needs both sides."),
    q: t("Words act only in Reviews."),
    theme: t("Theme does not act here: all of them are listed."),
  },
  mount(root, ctx) {
    const all = card({
        id: "theme-list",
        className: "wide",
        title: t("Themes"),
        subtitle: "…",
        minHeight: 520,
        phoneHeight: 900,
        lines: 8,
      }),
      open = card({
        id: "open",
        className: "wide",
        title: t("Theme"),
        subtitle: "…",
        minHeight: 480,
        phoneHeight: 860,
      });
    root.append(h("div", { class: "cards" }, open.el, all.el));
    // Saves a change, then asks for everything anew: names stand in the filters, too.
    const act = async (save) => {
      await save();
      forget();
      const options = await get("filters", { source: state.query.source });
      meta.themes = options.themes;
      const gone = state.query.open && !meta.themes.some((x) => x.id === state.query.open);
      say(t("Changed."));
      ctx.navigate(here(gone ? { open: "" } : {}), { replace: true });
    };
    return {
      async update() {
        const params = queryParams({ without: WITHOUT }),
          q = state.query;
        open.el.hidden = !q.open;
        const jobs = [
          all.load(async (signal) => {
            const [d, ch, edits] = await Promise.all([
              get("themes", params, signal),
              get("changes", params, signal).catch(() => null),
              fresh(`theme-edits${q.source ? `?source=${encodeURIComponent(q.source)}` : ""}`, signal).catch(
                () => ({ items: [] }), // a key that only reads
              ),
            ]);
            if (!d.items.length)
              return {
                title: t("No themes yet"),
                subtitle: "",
                body: emptyState(t("No run of the themes is stored. Next step: sca themes, then reload.")),
              };
            if (d.items.every((x) => x.share_negative.n_reviews === 0))
              return { title: t("Themes"), subtitle: "", body: await nothing({ without: WITHOUT }) };
            say(`${plural(d.items.length - 1, "theme")}. ${scopeText({ without: WITHOUT })}`);
            return listView(d, ch, edits.items, act);
          }),
        ];
        if (q.open)
          jobs.push(
            open.load(async (signal) => {
              const x = await get(`themes/${encodeURIComponent(q.open)}`, params, signal);
              say(t("Opened {name}.", { name: x.name }));
              return opened(x, act);
            }),
          );
        await Promise.all(jobs);
      },
      unmount() {
        [all, open].forEach((c) => c.cancel());
      },
    };
  },
};
