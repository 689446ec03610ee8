// A card: sentence title, subtitle, figure, caption, `Chart | Table | Download`, and seven states at one height.
import { ApiError } from "./api.js";
import { clear, h, icon, say, uid } from "./dom.js";
import { t } from "./language.js";
import { WHY } from "./words.js";

export const skeleton = (lines = 4) =>
  h(
    "div",
    { class: "skeleton", "aria-hidden": "true" },
    Array.from({ length: lines }, () => h("i")),
  );

export const emptyState = (text, ...actions) =>
  h(
    "div",
    { class: "state" },
    h("p", null, text),
    actions.length ? h("p", { class: "actions" }, actions) : null,
  );
export const hiddenState = () =>
  h(
    "div",
    { class: "state state-hidden" },
    h("p", null, icon("hidden"), ` ${t("Hidden [c]")}. `, WHY["Hidden [c]"]),
  );
export const fewState = (text) =>
  h("div", { class: "state" }, h("p", null, icon("wide"), " ", text || t("Too few reviews to say.")));

// What still holds beside a failed card is read from the cards that are there, whenever one of them settles.
export function tellWhatHolds() {
  const all = [...document.querySelectorAll("#view .card")].filter((c) => !c.hidden),
    text = all.some((c) => c.classList.contains("filled"))
      ? t("The other cards still hold.")
      : all.some((c) => c.classList.contains("waiting"))
        ? ""
        : t("Nothing else could be loaded either.");
  for (const p of document.querySelectorAll("#view .holds")) p.textContent = text;
}

export function failedState(err, retry, holds = null) {
  const what = err instanceof ApiError ? err.message : t("The page could not draw this.");
  return h(
    "div",
    { class: "state state-failed", role: "group", "aria-label": t("Failed") },
    h("p", null, h("strong", null, icon("failed"), ` ${t("This could not be loaded.")} `), what),
    h(
      "p",
      { class: "muted" },
      holds === null ? h("span", { class: "holds" }) : holds,
      err.requestId ? ` ${t("Request {id}.", { id: err.requestId })}` : "",
    ),
    retry
      ? h(
          "p",
          { class: "actions" },
          h("button", { type: "button", class: "button", on: { click: retry } }, t("Retry")),
        )
      : null,
  );
}

// A card keeps the room of its answer free, so that nothing below jumps: minHeight, and on a phone phoneHeight until the answer is there.
export function card({
  id,
  title = "",
  subtitle = "",
  className = "",
  level = 2,
  minHeight = 0,
  phoneHeight = minHeight,
  lines = 4,
} = {}) {
  // a heading without words is no heading: screen readers would announce an empty one
  const heading = h(`h${level}`, { class: "card-title", hidden: !title }, title),
    sub = h("p", { class: "card-sub" }, subtitle);
  const tools = h("div", { class: "card-tools" }),
    body = h("div", { class: "card-body" }),
    foot = h("div", { class: "card-foot" });
  const bar = h("div", { class: "card-bar", hidden: true, "aria-hidden": "true" });
  const el = h(
    "section",
    { class: `card waiting ${className}`, id: id || null, "aria-label": null },
    bar,
    h("div", { class: "card-head" }, h("div", null, heading, sub), tools),
    body,
    foot,
  );
  body.style.setProperty("--room", `${minHeight}px`);
  body.style.setProperty("--phone-room", `${phoneHeight}px`);
  let filled = false,
    run = 0,
    controller = null,
    mode = "chart";

  function put(view) {
    filled = true;
    el.classList.remove("waiting");
    el.classList.add("filled");
    if (view.title) {
      heading.replaceChildren(...[view.title].flat());
      heading.hidden = false;
    }
    if (view.subtitle !== undefined) sub.replaceChildren(...[view.subtitle].flat().filter(Boolean));
    clear(foot, view.caption ?? null);
    clear(tools);
    const faces = { chart: view.chart, table: view.table };
    const draw = () =>
      clear(body, view.body ?? (mode === "table" && faces.table ? faces.table() : faces.chart?.()));
    if (faces.chart && faces.table) {
      const buttons = ["chart", "table"].map((m) =>
        h(
          "button",
          {
            type: "button",
            "aria-pressed": String(m === mode),
            on: {
              click: () => {
                mode = m;
                buttons.forEach((b, i) =>
                  b.setAttribute("aria-pressed", String(["chart", "table"][i] === mode)),
                );
                draw();
              },
            },
          },
          m === "chart" ? view.chartName || t("Chart") : t("Table"),
        ),
      );
      tools.append(h("div", { class: "switch", role: "group", "aria-label": t("Show as") }, buttons));
    }
    if (view.csv || view.picture || view.links) tools.append(downloads(view));
    draw();
    tellWhatHolds();
  }

  async function load(fn) {
    const mine = ++run;
    controller?.abort();
    const own = (controller = new AbortController());
    const timers = [
      setTimeout(
        () => {
          if (mine === run && !filled) clear(body, skeleton(lines));
        },
        filled ? 0 : 200,
      ),
      setTimeout(() => {
        if (mine === run) note(t("Still working on it."), []);
      }, 5000),
      setTimeout(() => {
        if (mine === run)
          note(t("This takes longer than it should."), [
            h(
              "button",
              {
                type: "button",
                class: "button",
                on: {
                  click: () => {
                    own.abort();
                  },
                },
              },
              t("Cancel"),
            ),
            h("button", { type: "button", class: "button", on: { click: () => load(fn) } }, t("Retry")),
          ]);
      }, 15000),
    ];
    const busy = setTimeout(() => {
      if (mine === run && filled) {
        el.classList.add("updating");
        bar.hidden = false;
      }
    }, 120);
    const note = (text, actions) => {
      if (filled) clear(foot, h("p", { class: "muted" }, text, " ", actions));
      else clear(body, emptyState(text, ...actions), skeleton(2));
    };
    try {
      const view = await fn(own.signal);
      if (mine === run && view) put(view);
    } catch (err) {
      if (mine !== run) return;
      el.classList.remove("waiting");
      if (err.name === "AbortError") {
        if (!filled)
          clear(
            body,
            emptyState(
              t("Cancelled."),
              h("button", { type: "button", class: "button", on: { click: () => load(fn) } }, t("Retry")),
            ),
          );
        else clear(foot);
      } else {
        if (!(err instanceof ApiError)) console.warn(err);
        filled = false;
        el.classList.remove("filled");
        clear(tools);
        clear(foot);
        clear(
          body,
          failedState(err, () => load(fn)),
        );
        tellWhatHolds();
      }
    } finally {
      [...timers, busy].forEach(clearTimeout);
      if (mine === run) {
        el.classList.remove("updating");
        bar.hidden = true;
      }
    }
  }
  return {
    el,
    body,
    foot,
    heading,
    load,
    put,
    cancel: () => {
      run++;
      controller?.abort();
    },
  };
}

const saving = () => import("./export.js"); // comes with the first download

function downloads({ csv, picture, links = [] }) {
  const close = (e) => {
    const d = e.target.closest("details");
    d.open = false;
    d.querySelector("summary").focus();
  };
  const item = (text, fn) =>
    h(
      "button",
      {
        type: "button",
        on: {
          click: async (e) => {
            close(e);
            await fn();
            say(t("{name} saved.", { name: text }));
          },
        },
      },
      text,
    );
  const details = h(
    "details",
    { class: "menu" },
    h("summary", null, t("Download")),
    h(
      "div",
      { class: "menu-list" },
      csv ? item("CSV", async () => (await saving()).saveCSV(csv())) : null,
      picture ? item("PNG", async () => (await saving()).savePNG(picture())) : null,
      picture ? item("SVG", async () => (await saving()).saveSVG(picture())) : null,
      links.map(([text, fn]) => item(text, fn)),
    ),
  );
  details.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && details.open) {
      details.open = false;
      details.querySelector("summary").focus();
    }
  });
  details.addEventListener("focusout", (e) => {
    if (!details.contains(e.relatedTarget)) details.open = false;
  });
  return details;
}

// columns: [{name, cell: row => node or text, sort: row => value, num: bool}]
export function table(columns, rows, { caption, sort = null, rowClass } = {}) {
  let by = sort?.by ?? null,
    down = sort?.down ?? true;
  const tbody = h("tbody"),
    id = uid("t");
  const heads = columns.map((c, i) =>
    h(
      "th",
      { scope: "col", class: c.num ? "num" : null, "aria-sort": null },
      c.sort
        ? h(
            "button",
            {
              type: "button",
              class: "th",
              on: {
                click: () => {
                  down = by === i ? !down : c.num !== false;
                  by = i;
                  draw();
                },
              },
            },
            c.name,
            h("span", { class: "arrow", "aria-hidden": "true" }),
          )
        : c.name,
    ),
  );
  function draw() {
    const list =
      by === null
        ? rows
        : [...rows].sort((a, b) => {
            const x = columns[by].sort(a),
              y = columns[by].sort(b),
              none = (v) => v === null || v === undefined;
            if (none(x) || none(y)) return none(x) - none(y);
            return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
          });
    heads.forEach((th, i) =>
      i === by
        ? th.setAttribute("aria-sort", down ? "descending" : "ascending")
        : th.removeAttribute("aria-sort"),
    );
    clear(
      tbody,
      list.map((r) =>
        h(
          "tr",
          { class: rowClass?.(r) || null },
          columns.map((c, i) =>
            h(
              i ? "td" : "th",
              { scope: i ? null : "row", class: c.num ? "num" : null, "data-label": c.name },
              c.cell(r),
            ),
          ),
        ),
      ),
    );
  }
  draw();
  return h(
    "div",
    { class: "table-box", tabindex: 0, role: "region", "aria-labelledby": id },
    h(
      "table",
      null,
      h("caption", { id, class: "sr" }, caption || t("Table")),
      h("thead", null, h("tr", null, heads)),
      tbody,
    ),
  );
}
