// Reports: "Where is Monday's page, and how do I get one for my region?"
import { ApiError, forget, fresh, get, post } from "../api.js";
import { card, emptyState } from "../card.js";
import { clear, h, icon, say } from "../dom.js";
import { safePath } from "../figure.js";
import { schemaForm } from "../form.js";
import { bytes, capital, count, plural, time } from "../format.js";
import { t } from "../language.js";
import { LABELS, meta, period, state } from "../state.js";

const WORDS = {
  made: ["made", t("Made")],
  nothing_new: ["none", t("Nothing new")],
  failed: ["failed", t("Failed")],
  running: ["running", t("Running")],
};
const REASON = t("Filters do not act on the list; the form takes them over.");
const ASK_MS = 1000;
const shell = (v) => (/^[\w.@:/=-]+$/.test(v) ? v : `'${String(v).replaceAll("'", "'\\''")}'`);
const spoken = (v) =>
  typeof v === "object" ? JSON.stringify(v) : typeof v === "boolean" ? (v ? "yes" : "no") : v;
const shortName = (template) => t(template.title.split(":")[0]); // of a notebook of the shop's own: as it is
const PARAMS = {
  source: t("source"),
  region: t("region"),
  segment: t("segment"),
  product: t("product"),
  start: t("since"),
  end: t("until"),
};

function row(r) {
  const [shape, word] = WORDS[r.status] || ["none", r.status],
    params = Object.entries(r.params || {}).filter(
      ([k, v]) => v !== null && v !== "" && v !== undefined && k in PARAMS,
    );
  const url = safePath(r.html);
  return h(
    "li",
    { class: `report report-${r.status}` },
    h(
      "div",
      { class: "report-name" },
      icon(shape),
      h("strong", null, r.title || r.name),
      (r.title || "").includes(r.period || "") ? null : h("span", null, r.period),
    ),
    h(
      "div",
      { class: "report-what" },
      h("span", null, word),
      r.status === "made" && r.name.endsWith("weekly") && r.n_changes
        ? h("span", null, `, ${plural(r.n_changes, "change")}`)
        : null,
      r.status === "nothing_new" ? t(", one line") : null,
      params.length
        ? h("span", { class: "muted" }, ` · ${params.map(([k, v]) => `${PARAMS[k]} ${v}`).join(", ")}`)
        : null,
      r.error ? h("p", { class: "report-error" }, r.error) : null,
    ),
    h(
      "span",
      { class: "muted report-when" },
      r.finished_at || r.started_at ? time(r.finished_at || r.started_at) : "",
    ),
    h(
      "span",
      { class: "report-open" },
      url
        ? h(
            "a",
            { href: url, target: "_blank", rel: "noopener" },
            t("Open"),
            h("span", { class: "sr" }, ` ${r.title} ${r.period || ""}, ${t("new tab")}`),
          )
        : null,
      url && r.size_bytes ? h("span", { class: "muted" }, ` HTML ${bytes(r.size_bytes)}`) : null,
    ),
  );
}

// What the filters of the page mean for a report, and what it cannot take over.
function taken(properties) {
  const q = state.query,
    p = period(),
    start = {},
    has = (name) => name in properties;
  for (const name of ["source", "region", "segment", "product"])
    if (q[name] && has(name)) start[name] = q[name];
  if (p?.chosen && has("end")) {
    start.end = p.end;
    if (has("start")) start.start = p.start;
    else if (has("weeks")) start.weeks = Math.max(1, Math.round(p.length / 7));
  }
  const left = ["segment", "region", "product", "theme", "extra", "sentiment", "q"].filter(
    (k) => q[k] && !has(k),
  );
  return { start, left: left.map((k) => LABELS[k]) };
}

export default {
  question: t("Where is Monday's page, and how do I get one for my region?"),
  inactive: {
    segment: REASON,
    region: REASON,
    product: REASON,
    extra: REASON,
    sentiment: REASON,
    q: REASON,
    start: REASON,
    compare: true,
  },
  mount(root, ctx) {
    const form = card({
        id: "make",
        className: "wide",
        title: t("Make a report"),
        minHeight: 300,
        phoneHeight: 160,
      }),
      list = card({
        id: "reports",
        className: "wide",
        title: t("Reports"),
        subtitle: "…",
        minHeight: 200,
        phoneHeight: 257,
      });
    list.el.hidden = true; // until the form is there: its height is not known before
    root.append(h("div", { class: "cards" }, form.el, list.el));
    let kind = "weekly",
      again = 0,
      stop = new AbortController(),
      busy = false;

    function drawForm(templates) {
      const chosen = templates.find((x) => x.name === kind && !x.error) || templates.find((x) => !x.error);
      if (!chosen)
        return { body: emptyState(t("No report can be made: there is no template that can be read.")) };
      kind = chosen.name;
      const properties = chosen.parameters.properties || {},
        { start, left } = taken(properties);
      const code = h("code", { id: "command" }),
        status = h("div", { id: "make-status", class: "make-status" });
      const fields = schemaForm(chosen.parameters, {
        start,
        options: { region: meta.regions, source: meta.sources },
        onchange: (name) => {
          write();
          if (name === "source") regions();
        },
      });
      const write = () => {
        const pairs = Object.entries(fields.values()).map(([k, v]) => `-p ${shell(`${k}=${spoken(v)}`)}`);
        code.textContent = ["sca report run", chosen.name, ...pairs].join(" ");
      };
      async function regions() {
        const v = await get("filters", { source: fields.fields.source.el.value }).catch(() => null);
        if (v) fields.refill("region", v.regions || []);
        write();
      }
      write();
      const any = Object.keys(properties).length > 0,
        open = Object.keys(start).length > 0 || innerWidth >= 720;
      const send = h("button", { type: "submit", class: "button button-main" }, t("Make report"));
      const pick = h(
        "select",
        {
          id: "make-kind",
          on: {
            change: (e) => {
              kind = e.target.value;
              form.put(drawForm(templates));
              document.querySelector("#make-kind").focus();
            },
          },
        },
        templates.map((x) =>
          h(
            "option",
            { value: x.name, selected: x.name === kind, disabled: Boolean(x.error) },
            x.error ? t("{name} (cannot be read)", { name: x.name }) : shortName(x),
          ),
        ),
      );
      const ask = async (e) => {
        e.preventDefault();
        if (busy) return;
        const wrong = fields.faults();
        fields.show(wrong);
        if (wrong.length) {
          clear(status);
          say(t("Not sent: {why}", { why: wrong[0].message }));
          return;
        }
        await make(chosen.name, fields, status, send);
      };
      const asks = t(chosen.title.split(": ").slice(1).join(": "));
      return {
        title: t("Make a report"),
        subtitle: asks ? capital(asks) : chosen.description,
        body: h(
          "form",
          { class: "make", novalidate: true, on: { submit: ask } },
          h(
            "div",
            { class: "make-top" },
            h(
              "label",
              { class: "pill" },
              h("span", { class: "pill-label" }, h("span", null, t("Report")), pick),
            ),
            send,
            status,
          ),
          any
            ? h("details", { class: "make-more", open }, h("summary", null, t("What it covers")), fields.el)
            : null,
          h(
            "details",
            { class: "make-more" },
            h("summary", null, t("The same from a shell")),
            h(
              "div",
              { class: "make-shell" },
              h("pre", { class: "curl", tabindex: 0 }, code),
              h(
                "button",
                { type: "button", class: "button", on: { click: (e) => copy(e, code) } },
                t("Copy"),
              ),
            ),
          ),
        ),
        caption: left.length
          ? h(
              "p",
              { class: "caption" },
              t("Not taken over, this report has no such parameter: {names}.", { names: left.join(", ") }),
            )
          : null,
      };
    }

    async function copy(e, code) {
      try {
        await navigator.clipboard.writeText(code.textContent);
        e.target.textContent = t("Copied");
        say(t("Command copied."));
      } catch {
        getSelection().selectAllChildren(code);
      }
    }

    // Ask for one report and follow it until it has ended.
    async function make(name, fields, status, send) {
      busy = true;
      send.setAttribute("aria-disabled", "true");
      const signal = stop.signal,
        began = Date.now();
      const tell = (shape, ...text) => clear(status, icon(shape), h("span", null, text));
      try {
        let job = await post("reports", { name, parameters: fields.values() }, signal);
        if (["waiting", "running"].includes(job.status)) say(t("The report is being made."));
        while (["waiting", "running"].includes(job.status)) {
          const seconds = Math.round((Date.now() - began) / 1000);
          tell(
            "running",
            job.status === "waiting" ? t("Waiting for its turn …") : t("Making it … {n} s", { n: seconds }),
          );
          await new Promise((done) => setTimeout(done, ASK_MS));
          job = await fresh(`reports/${job.id}`, signal);
        }
        ended(job, tell);
        forget();
        await load();
      } catch (err) {
        if (err.name === "AbortError") return;
        const rest = err instanceof ApiError ? fields.show(err.errors) : [];
        if (err.status === 422 && err.errors.length && !rest.length) {
          clear(status);
          say(t("Not made: {why}", { why: err.message }));
        } else {
          const text =
            err.status === 429
              ? t("Others are being made. Try again in {n} s.", { n: err.retryAfter })
              : err.message;
          tell("failed", text);
          say(text);
        }
      } finally {
        busy = false;
        send.removeAttribute("aria-disabled");
      }
    }

    function ended(job, tell) {
      const url = safePath(job.html),
        word = job.status === "made" ? t("Made.") : t("Made: nothing new to tell.");
      if (job.status === "failed") {
        tell("failed", t("Not made: {why}", { why: job.error }));
        say(t("Not made: {why}", { why: job.error }));
        return;
      }
      tell(
        "made",
        `${word} `,
        url
          ? h(
              "a",
              { href: url, target: "_blank", rel: "noopener" },
              t("Open it"),
              h("span", { class: "sr" }, `, ${t("new tab")}`),
            )
          : null,
      );
      say(word);
    }

    async function load() {
      await list.load(async (signal) => {
        const r = await get("reports", {}, signal);
        clearTimeout(again);
        if (r.items.some((x) => x.status === "running")) again = setTimeout(load, 31_000);
        const withNews = r.items.filter((x) => x.status === "made").length;
        return {
          title: r.items.length
            ? t("{reports}, the newest first", { reports: plural(r.items.length, "report") })
            : t("No report yet"),
          subtitle:
            withNews < r.items.length ? t("{n} of them with news to read", { n: count(withNews) }) : "",
          body: r.items.length
            ? h("ul", { class: "report-list" }, r.items.map(row))
            : emptyState(t("No report has been made. Next step: make one above.")),
          caption: h(
            "p",
            { class: "caption" },
            t("On paper: print from the browser; the pages are laid out for A4."),
          ),
        };
      });
    }
    return {
      async update() {
        await form.load(async (signal) => drawForm((await get("reports/templates", {}, signal)).items));
        list.el.hidden = false;
        await load();
      },
      unmount() {
        clearTimeout(again);
        stop.abort();
        form.cancel();
        list.cancel();
      },
    };
  },
};
