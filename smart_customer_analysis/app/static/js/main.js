// Boot and router. A filter change pushes history (Back = undo); a drill-down remembers where it came from.
import { ApiError, get } from "./api.js";
import { failedState } from "./card.js";
import { $, clear, h, hideTip, say } from "./dom.js";
import { backLink, drawFilters, drawFresh, drawNav, mountFrame, setReasons, showMatching } from "./frame.js";
import { LANGUAGES, language, t } from "./language.js";
import { TITLES, VIEWS, filtersOf, here, meta, refresh, state } from "./state.js";

const LOAD = {
  overview: () => import("./views/overview.js"),
  map: () => import("./views/map.js"),
  segments: () => import("./views/segments.js"),
  themes: () => import("./views/themes.js"),
  reviews: () => import("./views/reviews.js"),
  label: () => import("./views/label.js"),
  try: () => import("./views/try.js"),
  reports: () => import("./views/reports.js"),
};

let current = null,
  shown = null,
  turn = 0,
  at = "";

const focusables = () => [
  ...$("#main").querySelectorAll("a[href], button, select, input, summary, [tabindex='0']"),
];
function remember() {
  const at = focusables().indexOf(document.activeElement);
  history.replaceState(
    {
      ...history.state,
      scroll: scrollY,
      focus: at,
      focusHref: document.activeElement?.getAttribute?.("href") || null,
    },
    "",
  );
}

export function navigate(url, { replace = false, from = null } = {}) {
  const target = new URL(url, location.origin);
  if (state.query.lang && !target.searchParams.has("lang")) target.searchParams.set("lang", state.query.lang);
  if (!(target.pathname.replace(/(.)\/$/, "$1") in VIEWS)) {
    location.assign(target.href);
    return;
  }
  remember();
  const same = target.pathname === location.pathname;
  const next = { from: from || (same ? history.state?.from || null : null) };
  if (withoutProof(target) === withoutProof(location)) {
    // only the drawer opens or closes: the page behind it stays as it is
    next.proof = target.searchParams.has("proof") && !replace;
    history[replace ? "replaceState" : "pushState"]({ ...history.state, ...next }, "", target);
    onlyProof();
    return;
  }
  if (replace) history.replaceState({ ...history.state, ...next }, "", target);
  else history.pushState(next, "", target);
  show({ focus: !same, filterChange: same });
}

// The address without the drawer, to tell whether anything else changed.
function withoutProof({ pathname, search }) {
  const q = new URLSearchParams(search);
  q.delete("proof");
  q.sort();
  return `${pathname}?${q}`;
}
function onlyProof() {
  refresh();
  at = location.pathname + location.search;
  drawProof();
}

// The drawer and the door of the key come when they are needed.
async function drawProof() {
  if (state.query.proof || $("#proof").open) (await import("./proof.js")).drawProof(navigate);
}
document.addEventListener("click", (e) => {
  const button = e.target.closest?.("[data-proof]");
  if (button) navigate(here({ proof: button.dataset.proof, cursor: state.query.cursor || "" }));
});
document.addEventListener("sca:key", async () => (await import("./door.js")).openDoor());

async function show({ focus = false, restore = false } = {}) {
  const mine = ++turn;
  $("#main").setAttribute("aria-busy", "true");
  hideTip();
  refresh();
  const lang = state.query.lang;
  if (lang && lang !== language && Object.hasOwn(LANGUAGES, lang)) return location.reload(); // Back to another language
  at = location.pathname + location.search;
  const name = state.view;
  document.title = `${TITLES[name]} · ${meta.shop || t("Customer analysis")}`;
  let view;
  try {
    view = (await LOAD[name]()).default;
  } catch {
    if (mine === turn) unreachable(name);
    return;
  }
  if (mine !== turn) return;
  if (meta.failed) learn().then(() => mine === turn && drawFilters());
  setReasons(view.inactive);
  drawNav();
  drawFilters();
  const root = $("#main");
  if (shown !== name) {
    current?.unmount?.();
    root.className = `view view-${name}`;
    clear(
      root,
      h(
        "div",
        { class: "view-head" },
        h("div", { id: "back" }),
        h("h1", { tabindex: -1 }, TITLES[name]),
        h("p", { class: "question" }, view.question),
      ),
      h("div", { id: "view" }),
    );
    current = view.mount($("#view"), { navigate, matching: showMatching });
    shown = name;
    if (!restore) scrollTo(0, 0);
  }
  clear($("#back"), backLink(history.state?.from));
  if (focus) $("h1", root).focus({ preventScroll: true });
  if (periodNeeded()) await chosen;
  if (mine !== turn) return;
  const updated = current.update().finally(() => {
    if (mine === turn) root.removeAttribute("aria-busy");
  });
  if (state.query.proof || $("#proof").open) {
    await updated;
    if (mine === turn) drawProof();
  }
  if (restore) {
    const keep = history.state || {};
    await updated;
    if (mine !== turn) return;
    await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
    scrollTo(0, keep.scroll || 0);
    const list = focusables(),
      el =
        keep.focusHref && list[keep.focus]?.getAttribute("href") !== keep.focusHref
          ? list.find((x) => x.getAttribute("href") === keep.focusHref)
          : list[keep.focus];
    el?.focus({ preventScroll: true });
  }
}

// The program of a view comes with the first visit to it: without a connection there is none, and that is said.
function unreachable(name) {
  current?.unmount?.();
  current = shown = null;
  drawNav();
  const root = $("#main");
  root.className = `view view-${name}`;
  root.removeAttribute("aria-busy");
  clear(
    root,
    h("div", { class: "view-head" }, h("h1", { tabindex: -1 }, TITLES[name])),
    h(
      "div",
      { id: "view" },
      failedState(
        new ApiError(t("The server did not answer.")),
        () => show({ focus: true }),
        t("The other views may still be there."),
      ),
    ),
  );
  say(t("This view could not be loaded: the server did not answer."));
  $("h1", root).focus({ preventScroll: true });
}

document.addEventListener("click", (e) => {
  const a = e.target.closest?.("a[href]");
  if (
    !a ||
    e.defaultPrevented ||
    e.button ||
    e.metaKey ||
    e.ctrlKey ||
    e.shiftKey ||
    e.altKey ||
    a.hasAttribute("download") ||
    a.target
  )
    return;
  const raw = a.getAttribute("href");
  if (raw.startsWith("#")) {
    e.preventDefault();
    $(raw)?.focus();
    return;
  } // the skip link must not write history
  const url = new URL(raw, location.href);
  if (url.origin !== location.origin || !(url.pathname.replace(/(.)\/$/, "$1") in VIEWS)) return;
  e.preventDefault();
  if (a.dataset.back && history.state?.from) {
    history.back();
    return;
  }
  const inMain = $("#main").contains(a) || $("#proof").contains(a);
  document.querySelectorAll("dialog[open]:not(#door)").forEach((d) => d.close());
  navigate(url.pathname + url.search, {
    from:
      inMain && url.pathname !== location.pathname
        ? { label: TITLES[state.view], url: location.pathname + location.search }
        : null,
  });
});
addEventListener("popstate", () => {
  const now = location.pathname + location.search;
  if (now === at) return;
  if (withoutProof(location) === withoutProof(new URL(at, location.origin))) onlyProof();
  else show({ restore: true });
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") hideTip();
  if (e.key === "?" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName))
    $("#key").showModal();
});
if ("scrollRestoration" in history) history.scrollRestoration = "manual";

// What the frame needs: names to filter by, and the span of the reviews.
async function learn() {
  const v = await get("filters", { source: state.query.source }).catch(() => null);
  meta.known = Boolean(v);
  meta.failed = !v;
  if (!v) {
    say(t("The list of filters could not be loaded."));
    return;
  }
  Object.assign(meta, {
    regions: v.regions || [],
    segments: v.segments || [],
    products: v.products || [],
    themes: v.themes || [],
    languages: v.languages || [],
    extra: v.extra || [],
    sources: v.sources || [],
    periods: v.periods?.last ? v.periods : null,
  });
  meta.data_to = v.periods?.last;
}
async function learnPeriod() {
  const v = await get("overview", { source: state.query.source }).catch(() => null);
  if (!v) return;
  Object.assign(meta, { shop: v.shop, data_to: v.data_to || meta.data_to });
  if (v.period?.start && v.period?.end) meta.period = { start: v.period.start, end: v.period.end };
  drawFresh();
  drawFilters();
  document.title = `${TITLES[state.view]} · ${meta.shop || t("Customer analysis")}`;
}
// The default period must be known before it is sent; the plain Overview lets the server choose it.
const periodNeeded = () =>
  !meta.period &&
  meta.periods &&
  !state.query.start &&
  !state.query.end &&
  !["try", "reports"].includes(state.view) &&
  !(state.view === "overview" && Object.keys(filtersOf()).every((k) => k === "source"));

mountFrame(navigate);
drawNav();
LOAD[state.view]();
const names = learn();
const chosen = learnPeriod();
await names;
drawFresh();
await show({ restore: Boolean(history.state?.scroll) });
await chosen;
get("reviews", { source: state.query.source, limit: 1 })
  .then((r) => {
    meta.n_reviews = r.all;
    drawFresh();
  })
  .catch(() => {});
