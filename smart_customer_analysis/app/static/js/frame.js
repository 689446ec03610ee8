// What all views share: top bar, filter row with chips, phone sheet and bottom bar, key, theme.
import { $, $$, clear, h, icon, s, say } from "./dom.js";
import { addDays, briefDate, capital, count, dates, day, iso, monday, plural } from "./format.js";
import {
  TITLES,
  VIEWS,
  LABELS,
  defaultPeriod,
  filtersOf,
  here,
  href,
  meta,
  SENTIMENTS,
  languageName,
  pathOf,
  nameOf,
  period,
  speak,
  state,
} from "./state.js";
import { LANGUAGES, WHOLE, language, t } from "./language.js";
import { KEY } from "./words.js";

let go = () => {};
let reasons = {}; // filters that cannot act in this view: {sentiment: "…"}

const MORE = ["themes", "label", "try", "reports"];
const PRESETS = [
  ["4", t("Last {n} weeks", { n: 4 }), 28],
  ["13", t("Last {n} weeks", { n: 13 }), 91],
  ["52", t("Last {n} weeks", { n: 52 }), 364],
];

const closeButton = () =>
  h(
    "button",
    { type: "button", class: "round", "aria-label": t("Close"), data: { close: "" } },
    s(
      "svg",
      { width: 18, height: 18, viewBox: "0 0 18 18", "aria-hidden": "true" },
      s("path", { d: "M4 4l10 10M14 4 4 14", stroke: "currentColor", "stroke-width": 1.8 }),
    ),
  );

// The texts that stand in the frame before any program runs are English.
function translateFrame() {
  for (const el of $$("[data-t]")) el.textContent = t(el.textContent.trim().replace(/\s+/g, " "));
  for (const el of $$("[data-t-label]")) el.setAttribute("aria-label", t(el.getAttribute("aria-label")));
  clear(
    $("#language"),
    Object.entries(LANGUAGES).map(([l, name]) =>
      h("option", { value: l, lang: l, selected: l === language }, name),
    ),
  );
  if (!WHOLE.includes(language))
    $("#language")
      .closest("p")
      .append(" ", t("Only a part of this page is in this language, the rest is in English."));
  $("#language").addEventListener("change", (e) => speak(e.target.value));
}

export function mountFrame(navigate) {
  go = navigate;
  translateFrame();
  $("#theme").addEventListener("click", () => {
    const dark = isDark();
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("theme", document.documentElement.dataset.theme);
    } catch {
      /* private window */
    }
    themeName();
    dispatchEvent(new CustomEvent("themechange"));
  });
  themeName();
  clear(
    $("#key-list"),
    KEY.map(([, word, text, mark]) =>
      h("div", null, h("dt", null, mark ? [icon(mark), " "] : null, word), h("dd", null, text)),
    ),
  );
  $$(".sheet-head").forEach((head) => head.append(closeButton()));
  for (const id of ["key", "more"]) {
    const dialog = $(`#${id}`);
    document
      .querySelectorAll(`[data-open=${id}]`)
      .forEach((b) => b.addEventListener("click", () => dialog.showModal()));
    dialog.addEventListener("click", (e) => {
      if (e.target === dialog || e.target.closest("[data-close], a")) dialog.close();
    });
  }
  const sheet = $("#sheet");
  $("#open-filters").addEventListener("click", () => {
    $("#sheet-body").append($("#filters"));
    sheet.showModal();
  });
  sheet.addEventListener("close", () => {
    $("#filter-row").append($("#filters"));
    $("#open-filters").focus();
  });
  sheet.addEventListener("click", (e) => {
    if (e.target.closest("[data-close]")) sheet.close();
  });
}

export const isDark = () =>
  document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
const themeName = () =>
  $("#theme").setAttribute(
    "aria-label",
    isDark() ? t("Switch to light colours") : t("Switch to dark colours"),
  );

export function drawNav() {
  const link = (view, extra = "") =>
    h(
      "a",
      { href: href(view), "aria-current": view === state.view ? "page" : null, class: extra },
      TITLES[view],
    );
  const views = Object.values(VIEWS);
  clear(
    $("#tabs"),
    views.map((v) => h("li", null, link(v))),
  );
  clear(
    $("#bottom-list"),
    ["overview", "map", "segments", "reviews"].map((v) => h("li", null, link(v))),
    h(
      "li",
      null,
      h(
        "button",
        {
          type: "button",
          class: MORE.includes(state.view) ? "current" : "",
          on: { click: () => $("#more").showModal() },
        },
        t("More"),
      ),
    ),
  );
  clear(
    $("#more-list"),
    MORE.map((v) => h("li", null, link(v))),
    h(
      "li",
      null,
      h(
        "button",
        { type: "button", class: "linklike", on: { click: () => $("#key").showModal() } },
        t("Key to marks and words"),
      ),
    ),
  );
  $("#phone-title").textContent = TITLES[state.view];
}

export function drawFresh() {
  $("#shop").textContent = meta.shop ? t("{shop} shop", { shop: meta.shop }) : t("Customer analysis");
  const parts = [
    meta.data_to ? t("Data to {date}", { date: briefDate(meta.data_to) }) : null,
    meta.n_reviews !== undefined ? plural(meta.n_reviews, "review") : null,
  ].filter(Boolean);
  clear(
    $("#fresh"),
    parts.map((text, i) => [i ? h("i", null, " · ") : null, h("span", null, text)]), // breaks between the two alone
  );
}

export function setReasons(r) {
  reasons = r || {};
}

// A hot spot belongs to the filters it was found with: of these only what the list alone takes may change.
const change = (changes) => {
  const kept = Object.keys(changes).every((k) => k === "sentiment" || k === "q" || k === "cell");
  go(here({ ...(kept ? {} : { cell: "" }), ...changes }));
};

function pill(key, control, active, onClear) {
  const reason = reasons[key] || (key === "period" ? reasons.start : null);
  return h(
    "div",
    { class: `pill${active ? " pill-on" : ""}${reason ? " pill-off" : ""}` },
    h("label", { class: "pill-label" }, h("span", null, LABELS[key]), control),
    active && onClear
      ? h(
          "button",
          {
            type: "button",
            class: "pill-x",
            "aria-label": t("Remove filter {name}", { name: LABELS[key] }),
            on: { click: onClear },
          },
          icon("failed"),
        )
      : null,
  );
}

// A region is feminine where words have a gender: "Todas", not "Todos".
const allOf = (key) => (["region", "extra"].includes(key) ? capital(t("all")) : t("All"));
function select(key, options, all = allOf(key)) {
  const value = state.query[key] || "",
    known = options.some(([v]) => v === value);
  return h(
    "select",
    { disabled: Boolean(reasons[key]), on: { change: (e) => change({ [key]: e.target.value }) } },
    h("option", { value: "", selected: !value }, all),
    value && !known ? h("option", { value, selected: true }, nameOf(key, value)) : null,
    options.map(([v, text]) => h("option", { value: v, selected: v === value }, text)),
  );
}

function periodControl() {
  const p = period(),
    d = defaultPeriod();
  if (!d && !p)
    return h(
      "select",
      { disabled: true },
      h("option", null, meta.known ? t("No dates in this source") : meta.failed ? t("not loaded") : "…"),
    );
  const end = d?.end,
    options = PRESETS.map(([id, text, n]) => [
      id,
      text,
      end ? { start: iso(addDays(day(end), 1 - n)), end } : null,
    ]).filter(([, , v]) => v);
  if (meta.periods?.first)
    options.push(["all", t("All dates"), { start: iso(monday(day(meta.periods.first))), end }]);
  const span = d && Math.round((day(d.end) - day(d.start)) / 864e5) + 1,
    usual = PRESETS.find(([, , n]) => n === span)?.[0] || "default";
  if (usual === "default" && d) options.unshift(["default", t("Default"), d]);
  const current = !p.chosen
    ? usual
    : options.find(([, , v]) => v.start === p.start && v.end === p.end)?.[0] || "own";
  return h(
    "select",
    {
      disabled: Boolean(reasons.start),
      "data-key": "period",
      on: {
        change: (e) => {
          const v = e.target.value;
          if (v === "own") {
            customDates = true;
            drawFilters();
            $("#from-date")?.focus();
            return;
          }
          customDates = false;
          change(v === usual ? { start: "", end: "" } : options.find(([id]) => id === v)[2]);
        },
      },
    },
    options.map(([id, text]) => h("option", { value: id, selected: id === current && !customDates }, text)),
    h("option", { value: "own", selected: current === "own" || customDates }, t("Choose dates…")),
  );
}

let customDates = false;
function dateInputs() {
  const p = period(),
    snap = (from, to) => ({ start: iso(monday(day(from))), end: iso(addDays(monday(day(to)), 6)) });
  const a = h("input", { type: "date", id: "from-date", value: p?.start || "", max: p?.end }),
    b = h("input", { type: "date", id: "to-date", value: p?.end || "" });
  const act = () => {
    if (a.value && b.value && a.value <= b.value) {
      customDates = false;
      change(snap(a.value, b.value));
    } else if (a.value && b.value) say(t("The first date must not be after the last."));
  };
  a.addEventListener("change", act);
  b.addEventListener("change", act);
  return h(
    "div",
    { class: "pill pill-dates" },
    h("label", { class: "pill-label" }, h("span", null, t("From week of")), a),
    h("label", { class: "pill-label" }, h("span", null, t("to week of")), b),
  );
}

export function drawFilters() {
  const q = state.query,
    p = period(),
    active =
      Object.keys(filtersOf()).filter((k) => !["start", "end", "source"].includes(k)).length +
      (p?.chosen ? 1 : 0) +
      (q.cell && state.view === "reviews" ? 1 : 0);
  const chosenDates = customDates || (p?.chosen && !PRESETS.some(([, , n]) => n === p.length));
  const box = clear(
    $("#filters"),
    pill("period", periodControl(), p?.chosen, () => {
      customDates = false;
      change({ start: "", end: "" });
    }),
    chosenDates && !reasons.start ? dateInputs() : null,
    p
      ? h(
          "p",
          { class: "period-text" },
          h("span", null, dates(p.start, p.end)),
          " ",
          reasons.compare
            ? null
            : h(
                "span",
                { class: "muted" },
                p.previous_start
                  ? t("vs {dates}", { dates: dates(p.previous_start, p.previous_end) })
                  : t("no earlier period"),
              ),
        )
      : null,
    pill(
      "segment",
      select(
        "segment",
        meta.segments.map((x) => [x.id, `[${x.id}] ${x.name}`]),
      ),
      q.segment,
      () => change({ segment: "" }),
    ),
    pill(
      "region",
      select(
        "region",
        meta.regions.map((r) => [r, r]),
      ),
      q.region,
      () => change({ region: "" }),
    ),
    pill(
      "product",
      select(
        "product",
        meta.products.slice(0, 300).map((x) => [x.id, x.name || x.id]),
      ),
      q.product,
      () => change({ product: "" }),
    ),
    meta.themes.length || q.theme
      ? pill(
          "theme",
          select(
            "theme",
            meta.themes.map((x) => [x.id, x.name]),
          ),
          q.theme,
          () => change({ theme: "" }),
        )
      : null,
    meta.languages.length > 1 || q.language
      ? pill(
          "language",
          select(
            "language",
            meta.languages.map((x) => [x.id, `${languageName(x.id)} (${count(x.n)})`]),
          ),
          q.language,
          () => change({ language: "" }),
        )
      : null,
    meta.extra.length || q.extra
      ? pill(
          "extra",
          select(
            "extra",
            meta.extra.flatMap((x) => x.values.map((v) => [`${x.name}:${v}`, `${x.name}: ${v}`])),
          ),
          q.extra,
          () => change({ extra: "" }),
        )
      : null,
    pill("sentiment", select("sentiment", Object.entries(SENTIMENTS)), q.sentiment, () =>
      change({ sentiment: "" }),
    ),
    q.q
      ? h(
          "div",
          { class: `pill pill-on${reasons.q ? " pill-off" : ""}` },
          h(
            "span",
            { class: "pill-label" },
            h("span", null, LABELS.q),
            h("span", { class: "pill-text" }, `“${q.q}”`),
          ),
          h(
            "button",
            {
              type: "button",
              class: "pill-x",
              "aria-label": t("Remove filter {name}", { name: LABELS.q }),
              on: { click: () => change({ q: "" }) },
            },
            icon("failed"),
          ),
        )
      : null,
    q.cell && state.view === "reviews"
      ? h(
          "div",
          { class: "pill pill-on" },
          h(
            "span",
            { class: "pill-label" },
            h("span", null, t("Place")),
            h("span", { class: "pill-text" }, t("hot spot")),
          ),
          h(
            "button",
            {
              type: "button",
              class: "pill-x",
              "aria-label": t("Remove filter {name}", { name: t("Place") }),
              on: { click: () => change({ cell: "" }) },
            },
            icon("failed"),
          ),
        )
      : null,
    meta.sources.length > 1
      ? h(
          "div",
          { class: "pill" },
          h(
            "label",
            { class: "pill-label" },
            h("span", null, t("Source")),
            select(
              "source",
              meta.sources.map((x) => [x, x]),
              meta.shop || t("Latest"),
            ),
          ),
        )
      : null,
    active
      ? h(
          "button",
          {
            type: "button",
            class: "button clear-all",
            on: {
              click: () => {
                customDates = false;
                change({
                  start: "",
                  end: "",
                  segment: "",
                  region: "",
                  product: "",
                  theme: "",
                  language: "",
                  extra: "",
                  sentiment: "",
                  q: "",
                  cell: "",
                });
              },
            },
          },
          t("Clear all ({n})", { n: active }),
        )
      : null,
  );
  const struck = Object.entries(reasons).filter(([k]) => (k === "start" ? p?.chosen : q[k]));
  const reason = [...new Set(struck.map(([, text]) => text))].join(" ");
  if (reason) box.append(h("p", { class: "off-reason" }, reason));
  $("#open-filters").textContent = active ? t("Filters ({n})", { n: active }) : t("Filters");
}

export function showMatching(n) {
  $("#sheet-show").textContent =
    n === undefined || n === null ? t("Show") : t("Show {reviews}", { reviews: plural(n, "review") });
}
export const backLink = (from) =>
  from
    ? h("a", { class: "back", href: from.url || pathOf("overview"), "data-back": "1" }, `← ${from.label}`)
    : null;
