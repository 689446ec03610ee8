// Reports: "Where is Monday's page, and how do I get one for my region?"
import { get } from "../api.js";
import { card, emptyState } from "../card.js";
import { h, icon, say } from "../dom.js";
import { safePath } from "../figure.js";
import { bytes, count, plural, time } from "../format.js";
import { LABELS, period, state } from "../state.js";

const WORDS = {
  made: ["made", "Made"],
  nothing_new: ["none", "Nothing new"],
  failed: ["failed", "Failed"],
  running: ["running", "Running"],
};
const KINDS = [
  ["weekly", "Weekly"],
  ["segments", "Segments"],
  ["model", "Model"],
];
const REASON = "Filters do not act on the list; the form below takes them over.";
const shell = (v) => (/^[\w.@:/=-]+$/.test(v) ? v : `'${String(v).replaceAll("'", "'\\''")}'`);

function row(r) {
  const [shape, word] = WORDS[r.status] || ["none", r.status],
    params = Object.entries(r.params || {}).filter(
      ([k, v]) =>
        v !== null &&
        v !== "" &&
        v !== undefined &&
        ["region", "segment", "product", "start", "end", "source"].includes(k),
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
      r.status === "nothing_new" ? ", one line" : null,
      params.length
        ? h("span", { class: "muted" }, ` · ${params.map(([k, v]) => `${k} ${v}`).join(", ")}`)
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
            "Open",
            h("span", { class: "sr" }, ` ${r.title} ${r.period || ""}, new tab`),
          )
        : null,
      url && r.size_bytes ? h("span", { class: "muted" }, ` HTML ${bytes(r.size_bytes)}`) : null,
    ),
  );
}

export default {
  question: "Where is Monday's page, and how do I get one for my region?",
  inactive: {
    segment: REASON,
    region: REASON,
    product: REASON,
    sentiment: REASON,
    q: REASON,
    start: REASON,
    compare: true,
  },
  mount(root, ctx) {
    const list = card({
        id: "reports",
        className: "wide",
        title: "Reports",
        subtitle: "…",
        minHeight: 200,
        phoneHeight: 257,
      }),
      form = card({ id: "make", className: "wide", title: "Make one", minHeight: 80 });
    form.el.hidden = true; // until the list is there: its length is not known before
    root.append(h("div", { class: "cards" }, list.el, form.el));
    let kind = "weekly",
      again = 0;
    function drawForm() {
      const p = period(),
        q = state.query,
        code = h("code", { id: "command" }),
        said = h("span");
      // Only the weekly report takes a period and a region; what it does not take is said, not dropped in silence.
      const params = ["source", "region"].filter((k) => q[k]),
        rest = ["segment", "product", "sentiment", "q"].filter((k) => q[k]).map((k) => LABELS[k]);
      const write = () => {
        const weekly = kind === "weekly",
          named = weekly ? params : params.filter((k) => k === "source");
        code.textContent = [
          "sca report run",
          kind,
          weekly && p?.chosen ? `-p end=${p.end} -p weeks=${Math.max(1, Math.round(p.length / 7))}` : "",
          ...named.map((k) => `-p ${shell(`${k}=${q[k]}`)}`),
        ]
          .filter(Boolean)
          .join(" ");
        const left = [...(weekly || !q.region ? [] : ["Region"]), ...rest];
        said.textContent = left.length
          ? `Not taken over, this report has no such parameter: ${left.join(", ")}. `
          : "";
      };
      write();
      form.put({
        title: "Make one",
        subtitle:
          "A report is made on the machine that holds the data, by hand or by a scheduler; this line makes one with the filters you chose.",
        body: h(
          "div",
          { class: "make" },
          h(
            "label",
            { class: "pill" },
            h(
              "span",
              { class: "pill-label" },
              h("span", null, "Report"),
              h(
                "select",
                {
                  on: {
                    change: (e) => {
                      kind = e.target.value;
                      write();
                    },
                  },
                },
                KINDS.map(([v, t]) => h("option", { value: v, selected: v === kind }, t)),
              ),
            ),
          ),
          h("pre", { class: "curl", tabindex: 0 }, code),
          h(
            "button",
            {
              type: "button",
              class: "button",
              on: {
                click: async (e) => {
                  try {
                    await navigator.clipboard.writeText(code.textContent);
                    e.target.textContent = "Copied";
                    say("Command copied.");
                  } catch {
                    getSelection().selectAllChildren(code);
                  }
                },
              },
            },
            "Copy",
          ),
        ),
        caption: h(
          "p",
          { class: "caption" },
          said,
          "On paper: print from the browser; the pages are laid out for A4.",
        ),
      });
    }
    async function load() {
      await list.load(async (signal) => {
        const r = await get("reports", {}, signal);
        clearTimeout(again);
        if (r.items.some((x) => x.status === "running")) again = setTimeout(load, 31_000);
        const made = r.items.filter((x) => x.status === "made").length;
        return {
          title: r.items.length ? `${plural(r.items.length, "report")}, the newest first` : "No report yet",
          subtitle: made < r.items.length ? `${count(made)} of them with news to read` : "",
          body: r.items.length
            ? h("ul", { class: "report-list" }, r.items.map(row))
            : emptyState(
                "No report has been made. Next step: run the line below where the data is, then reload.",
              ),
        };
      });
    }
    return {
      async update() {
        drawForm();
        await load();
        form.el.hidden = false;
      },
      unmount() {
        clearTimeout(again);
        list.cancel();
      },
    };
  },
};
