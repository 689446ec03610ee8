// Reviews: "What exactly do they say?"
import { get, post } from "../api.js";
import { card, emptyState, failedState } from "../card.js";
import { $$, clear, h, icon, isTyping, say } from "../dom.js";
import { nothing } from "../empty.js";
import { badge, isHidden } from "../figure.js";
import { FIGURE_COLUMNS, csvText, figureCells, save } from "../export.js";
import { chance, count, date, plural } from "../format.js";
import { check, tokens, wordLegend, words } from "../explain.js";
import {
  LABELS,
  queryParams,
  filtersOf,
  here,
  meta,
  period,
  scopeText,
  segmentName,
  state,
} from "../state.js";
import { t, tn } from "../language.js";
import { WHY } from "../words.js";

const SORTS = [
  ["newest", t("Newest")],
  ["negative", t("Surest negative")],
  ["unsure", t("Least sure (worth checking)")],
  ["longest", t("Longest")],
];
const PAGE = 50,
  MOST = 100_000;

function hits(text, q) {
  const terms = (q || "")
    .split(/\s+/)
    .filter((t) => t.length > 1)
    .map((t) => t.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!terms.length) return [text];
  return text
    .split(new RegExp(`(${terms.join("|")})`, "gi"))
    .map((part, i) => (i % 2 ? h("mark", { class: "hit" }, part) : part));
}

// Where the review speaks of the theme that is filtered by, or else where it praises and complains; in it the words that are searched for.
function withMarks(r, part, q) {
  const text = r[part],
    spans = (r.sentences?.length ? r.sentences : r.mixed || [])
      .filter((x) => x.part === part)
      .sort((a, b) => a.start - b.start);
  if (!spans.length) return hits(text, q);
  let at = 0;
  const out = spans.flatMap((x) => {
    const before = text.slice(at, x.start),
      side = x.side ? h("span", { class: "sr" }, `${x.side}: `) : null;
    at = x.stop;
    return [
      hits(before, q),
      h(
        "mark",
        { class: x.side || "about", title: x.side || null },
        side,
        hits(text.slice(x.start, x.stop), q),
      ),
    ];
  });
  return [...out, hits(text.slice(at), q)];
}

const markOf = (r) =>
  r.mark === "negative"
    ? h("span", { class: "tag tag-negative" }, t("negative"))
    : r.mark === "positive"
      ? h("span", { class: "tag tag-positive" }, t("positive"))
      : r.mark === "unsure"
        ? h("span", { class: "tag" }, icon("unsure"), ` ${t("unsure")}`)
        : h("span", { class: "tag muted" }, r.mark === "neutral" ? t("three stars") : t("not read"));
const isStarsOnly = (r) => !r.text.trim() && !r.title.trim();
const named = (r, key) => r[key] ?? (r.hidden?.includes(key) ? "[c]" : null);
const chanceOf = (r) =>
  r.p_negative === null || r.p_negative === undefined
    ? null
    : r.predicted === "positive"
      ? t("{share} positive", { share: chance(1 - r.p_negative) })
      : t("{share} negative", { share: chance(r.p_negative) });

function row(r) {
  const full = [r.title && !r.text.startsWith(r.title) ? `${r.title}\n` : "", r.text].join(""),
    body = isStarsOnly(r)
      ? h("p", { class: "review-text muted" }, t("Stars only, no text."))
      : h(
          "p",
          { class: "review-text clamp", dir: "auto", lang: r.lang },
          withMarks(r, "text", state.query.q),
        ),
    // fifty buttons of one name cannot be told apart by ear
    which = h(
      "span",
      { class: "sr" },
      ` ${r.reviewed_at ? date(r.reviewed_at) : t("no date")}, “${full.trim().slice(0, 40)}”`,
    );
  const why = h("div", { class: "review-why", hidden: true, "aria-live": "polite" });
  const fullButton = h(
    "button",
    {
      type: "button",
      class: "linklike full",
      "aria-expanded": "false",
      on: {
        click: () => {
          const open = body.classList.toggle("clamp");
          fullButton.setAttribute("aria-expanded", String(!open));
          fullButton.firstChild.textContent = open ? t("Full text") : t("Less");
        },
      },
    },
    t("Full text"),
    which.cloneNode(true),
  );
  const whyButton = h(
    "button",
    {
      type: "button",
      class: "linklike why",
      "aria-expanded": "false",
      on: {
        click: async () => {
          if (!why.hidden) {
            why.hidden = true;
            whyButton.setAttribute("aria-expanded", "false");
            return;
          }
          why.hidden = false;
          whyButton.setAttribute("aria-expanded", "true");
          if (why.dataset.done) return;
          clear(why, h("p", { class: "muted" }, t("Asking the model …")));
          try {
            const x = await post("explain", { text: full.slice(0, 10_000) });
            clear(
              why,
              words(full, x),
              x.faithful ? wordLegend() : null,
              h("p", { class: "caption" }, check(x), " ", tokens(x), "."),
            );
            why.dataset.done = "1";
          } catch (err) {
            clear(
              why,
              failedState(
                err,
                () => {
                  why.hidden = true;
                  whyButton.click();
                },
                t("The review itself is above."),
              ),
            );
          }
        },
      },
    },
    t("Why?"),
    which,
  );
  return h(
    "li",
    { class: "review", tabindex: -1, data: { id: r.review_id } },
    h(
      "div",
      { class: "review-head" },
      markOf(r),
      h("span", { class: "chance" }, chanceOf(r)),
      r.reviewed_at ? h("span", null, date(r.reviewed_at)) : h("span", { class: "muted" }, t("no date")),
      r.region ? h("span", null, r.region) : null,
      r.segment ? badge(r.segment, segmentName(r.segment)) : null,
      r.hidden?.length
        ? h(
            "abbr",
            {
              class: "muted",
              title: `${t("Hidden")}: ${r.hidden.map((x) => LABELS[x] ?? x).join(", ")}. ${WHY["Hidden [c]"]}`,
            },
            "[c]",
          )
        : null,
      r.rating
        ? h(
            "span",
            { class: "stars" },
            h("span", { "aria-hidden": "true" }, `★ ${r.rating}`),
            h("span", { class: "sr" }, tn("{n} star", "{n} stars", r.rating)),
          )
        : null,
      r.product ? h("span", { class: "muted product" }, r.product) : null,
      r.disagrees ? h("span", { class: "muted" }, t("stars and text disagree")) : null,
    ),
    r.title
      ? h("p", { class: "review-title", dir: "auto", lang: r.lang }, withMarks(r, "title", state.query.q))
      : null,
    body,
    why,
    h(
      "div",
      { class: "review-tools" },
      r.tokens_total > r.tokens_read
        ? h(
            "span",
            { class: "muted" },
            t("read {n} of {all} tokens", { n: count(r.tokens_read), all: count(r.tokens_total) }),
          )
        : null,
      r.p_negative !== null && r.p_negative !== undefined && !isStarsOnly(r) ? whyButton : null,
      isStarsOnly(r) ? null : fullButton,
    ),
  );
}

export default {
  question: t("What exactly do they say?"),
  inactive: { compare: true },
  mount(root, ctx) {
    const sum = card({
        id: "behind",
        className: "wide",
        title: t("Reviews"),
        minHeight: state.query.theme ? 80 : 24, // with a theme, its own share stands first
        phoneHeight: state.query.theme ? 252 : 180,
        lines: 0,
      }),
      rows = card({ id: "list", className: "wide card-list", minHeight: 480, lines: 10 });
    const search = h("input", {
      type: "search",
      id: "search",
      placeholder: t("search words…"),
      "aria-label": t("Search words in the reviews"),
      autocomplete: "off",
    });
    const sort = h(
      "select",
      {
        on: {
          change: () =>
            ctx.navigate(here({ sort: sort.value === "newest" ? "" : sort.value, cursor: "", page: "" })),
        },
      },
      SORTS.map(([v, t]) => h("option", { value: v }, t)),
    );
    const slow = h(
        "button",
        { type: "button", class: "button", hidden: true, on: { click: () => rows.cancel() } },
        t("Cancel"),
      ),
      total = h("span", { class: "muted", id: "totals" });
    const downloadButton = h(
      "button",
      { type: "button", class: "button", on: { click: download } },
      t("Download CSV"),
    );
    root.append(
      h("div", { class: "cards" }, sum.el),
      h(
        "form",
        {
          class: "review-bar",
          role: "search",
          on: {
            submit: (e) => {
              e.preventDefault();
              find();
            },
          },
        },
        h("label", { class: "pill pill-search" }, search),
        h("label", { class: "pill" }, h("span", { class: "pill-label" }, h("span", null, t("Sort")), sort)),
        total,
        slow,
        downloadButton,
      ),
      rows.el,
      h(
        "p",
        { class: "caption keys" },
        t("Keys: / search · j and k move · w why · Enter full text · Esc close"),
      ),
    );
    let timer = 0,
      last = null;
    const find = () => {
      clearTimeout(timer);
      if (search.value.trim() !== (state.query.q || ""))
        ctx.navigate(here({ q: search.value.trim(), cursor: "", page: "" }));
    };
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(find, 400);
    });

    const params = (extra = {}) => ({
      ...queryParams(),
      sort: state.query.sort,
      limit: PAGE,
      cursor: state.query.cursor,
      cell: state.query.cell,
      ...extra,
    });

    // Of a hot spot the address has the cell; its name is the map's.
    async function placeName(signal) {
      if (!state.query.cell) return "";
      const cells = await get(
        "map/cells",
        { ...queryParams({ without: ["sentiment", "q"] }), size: "large" },
        signal,
      );
      const spot = cells.hotspots.find((x) => x.cell === state.query.cell);
      return spot ? t("hot spot {name}", { name: spot.name }) : t("hot spot");
    }

    async function download() {
      downloadButton.disabled = true;
      const out = [],
        p = period(),
        f = last?.figure;
      let cursor = null;
      try {
        do {
          downloadButton.textContent = t("Reading {n} …", { n: count(out.length) });
          const page = await get("reviews", params({ limit: 200, cursor }));
          out.push(...page.items);
          cursor = page.next_cursor;
        } while (cursor && out.length < MOST);
        save(
          "reviews.csv",
          new Blob(
            [
              "\ufeff",
              csvText([
                ["# shop", meta.shop || ""],
                ["# period", p?.start, p?.end],
                [
                  "# filters",
                  ...Object.entries({
                    ...filtersOf(),
                    ...(state.query.cell ? { cell: state.query.cell } : {}),
                  }).map(([k, v]) => `${k}=${v}`),
                ],
                [`# share negative: ${FIGURE_COLUMNS.join(", ")}`, ...figureCells(f)],
                ["# counted", last?.sentence],
                ...(cursor ? [["# cut at", out.length, "of", last?.total]] : []),
                [
                  "review_id",
                  "reviewed_at",
                  "mark",
                  "predicted",
                  "p_negative",
                  "rating",
                  "region",
                  "segment",
                  "product",
                  "tokens_read",
                  "tokens_total",
                  "title",
                  "text",
                ],
                ...out.map((r) => [
                  r.review_id,
                  r.reviewed_at,
                  r.mark,
                  r.predicted,
                  r.p_negative,
                  r.rating,
                  named(r, "region"),
                  named(r, "segment"),
                  named(r, "product"),
                  r.tokens_read,
                  r.tokens_total,
                  r.title,
                  r.text,
                ]),
              ]),
            ],
            { type: "text/csv;charset=utf-8" },
          ),
        );
        say(t("{reviews} saved.", { reviews: plural(out.length, "review") }));
      } catch (err) {
        say(t("The download failed: {why}", { why: err.message }));
      }
      downloadButton.disabled = false;
      naming();
    }
    const naming = () => {
      downloadButton.textContent = last?.total
        ? t("Download CSV ({n} rows)", { n: count(Math.min(last.total, MOST)) })
        : t("Download CSV");
      downloadButton.disabled = !last?.total;
    };

    function pager(r) {
      const at = Number(state.query.page || 1),
        from = (at - 1) * PAGE + 1;
      return h(
        "nav",
        { class: "pager", "aria-label": t("Pages") },
        h(
          "span",
          { class: "muted" },
          (r.total_exact ? t("{from}–{to} of {n}") : t("{from}–{to} of about {n}"))
            .replace("{from}", count(from))
            .replace("{to}", count(from + r.items.length - 1))
            .replace("{n}", count(r.total)),
        ),
        at > 1
          ? h(
              "button",
              {
                type: "button",
                class: "button",
                on: {
                  click: () => (at === 2 ? ctx.navigate(here({ cursor: "", page: "" })) : history.back()),
                },
              },
              t("‹ Before"),
            )
          : null,
        r.next_cursor
          ? h(
              "button",
              {
                type: "button",
                class: "button",
                on: {
                  click: () => {
                    ctx.navigate(here({ cursor: r.next_cursor, page: at + 1 }));
                    scrollTo(0, 0);
                  },
                },
              },
              t("Next ›"),
            )
          : null,
      );
    }

    const onKey = (e) => {
      if (isTyping(e)) return;
      if (e.key === "/") {
        e.preventDefault();
        search.focus();
        return;
      }
      const list = $$(".review", rows.el),
        at = list.findIndex((li) => li.contains(document.activeElement)),
        li = list[at];
      if (e.key === "j" || e.key === "k" || (at >= 0 && (e.key === "ArrowDown" || e.key === "ArrowUp"))) {
        e.preventDefault();
        const to =
          list[
            Math.max(0, Math.min(list.length - 1, at + (e.key === "j" || e.key === "ArrowDown" ? 1 : -1)))
          ];
        to?.focus();
        to?.scrollIntoView({ block: "nearest" });
      } else if (li && document.activeElement === li && e.key === "Enter")
        [...li.querySelectorAll(".review-tools button:not([hidden])")].at(-1)?.click();
      else if (li && e.key === "w") li.querySelector(".review-tools .why")?.click();
      else if (li && e.key === "Escape") {
        const open = li.querySelector(".review-why:not([hidden])");
        if (open) {
          open.hidden = true;
          li.focus();
        }
      }
    };
    document.addEventListener("keydown", onKey);

    return {
      async update() {
        if (document.activeElement !== search) search.value = state.query.q || "";
        sort.value = SORTS.some(([v]) => v === state.query.sort) ? state.query.sort : "newest";
        const late = setTimeout(() => {
            slow.hidden = false;
          }, 2000),
          ask = (signal) => get("reviews", params(), signal);
        await Promise.all([
          sum.load(async (signal) => {
            const [r, place] = await Promise.all([ask(signal), placeName(signal)]),
              scope = [place, scopeText()].filter(Boolean).join(" · ");
            last = r;
            naming();
            ctx.matching(r.total);
            const c = r.counts,
              hidden = isHidden(r.figure);
            total.textContent =
              r.total === null
                ? ""
                : `${r.total_exact ? "" : `${t("about")} `}${t("{matches}, of {all}", { matches: plural(r.total, "match", "match"), all: count(r.all) })}`;
            say(r.total === null ? t("Hidden.") : t("{n} reviews match.", { n: count(r.total) }));
            return {
              title: t("What they said, {scope}", { scope }),
              subtitle: "",
              body: h(
                "div",
                { class: "behind" },
                h("p", null, hidden ? [icon("hidden"), " ", r.sentence || WHY["Hidden [c]"]] : r.sentence),
                c
                  ? h(
                      "p",
                      { class: "counts" },
                      h(
                        "span",
                        null,
                        h("span", { class: "tag tag-negative" }, t("negative")),
                        ` ${count(c.negative)}`,
                      ),
                      h(
                        "span",
                        null,
                        h("span", { class: "tag tag-positive" }, t("positive")),
                        ` ${count(c.positive)}`,
                      ),
                      h(
                        "span",
                        null,
                        h("span", { class: "tag" }, icon("unsure"), ` ${t("unsure")}`),
                        ` ${count(c.unsure)}`,
                      ),
                      ...[
                        [t("three stars"), c.neutral],
                        [t("not read"), c.unread],
                      ].map(([word, n]) =>
                        n ? h("span", null, h("span", { class: "tag muted" }, word), ` ${count(n)}`) : null,
                      ),
                    )
                  : null,
              ),
            };
          }),
          rows.load(async (signal) => {
            const r = await ask(signal);
            if (!r.items.length)
              return {
                body:
                  r.total === 0
                    ? await nothing()
                    : emptyState(
                        r.total === null ? `${t("Hidden [c]")}. ${WHY["Hidden [c]"]}` : t("No more reviews."),
                      ),
              };
            const list = h("ol", { class: "reviews" }, r.items.map(row));
            // "Full text" only where some of it is out of sight
            requestAnimationFrame(() => {
              for (const b of $$(".full", list)) {
                const text = b.closest(".review").querySelector(".review-text");
                b.hidden = text.classList.contains("clamp") && text.scrollHeight <= text.clientHeight + 1;
              }
            });
            return { body: h("div", null, list, pager(r)) };
          }),
        ]).finally(() => {
          clearTimeout(late);
          slow.hidden = true;
        });
      },
      unmount() {
        clearTimeout(timer);
        document.removeEventListener("keydown", onKey);
        sum.cancel();
        rows.cancel();
      },
    };
  },
};
