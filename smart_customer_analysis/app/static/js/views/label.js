// Label: "What does this text really say?" One review at a time; a label is in every share at once.
import { address, forget, fresh, post, remove } from "../api.js";
import { emptyState, failedState } from "../card.js";
import { clear, h, icon, isTyping, say } from "../dom.js";
import { capital, count, date, fixed, range } from "../format.js";
import { t } from "../language.js";
import { LABELS as FILTERS, queryParams, scopeText } from "../state.js";
import { WHY } from "../words.js";

const LABELS = [
  ["negative", capital(t("negative")), "n"],
  ["neutral", t("Neither"), "0"],
  ["positive", capital(t("positive")), "p"],
  ["cannot tell", t("Cannot tell"), "?"],
];
const wordOf = (label) => LABELS.find(([l]) => l === label)?.[1] ?? label;
const NAME = "sca-labeller",
  AHEAD = 10,
  WITHOUT = ["segment", "theme", "extra", "sentiment", "q"];
const REASON = t("Does not act here: reviews are offered by period, region and product.");

const kept = () => {
  try {
    return localStorage.getItem(NAME) || "";
  } catch {
    return ""; // a browser may forbid it
  }
};
const keep = (name) => {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // the name is then asked for again
  }
};
const known = (f) => f && f.value !== null && f.low !== null;
const half = (f) => (known(f) ? `±${fixed(50 * (f.high - f.low), 1)}` : null);

export default {
  question: t("What does this text really say?"),
  inactive: { segment: REASON, theme: REASON, extra: REASON, sentiment: REASON, q: REASON, compare: true },
  mount(root) {
    let items = [],
      shown = null,
      queue = {},
      first = null,
      last = null,
      mine = 0,
      run = 0;
    const labels = new Map(), // review id -> label, of this visit
      undone = []; // labelled reviews, the last one at the end
    let sending = Promise.resolve(),
      pending = 0;

    const name = h("input", {
      id: "labeller",
      type: "text",
      maxlength: 80,
      autocomplete: "name",
      value: kept(),
      on: { change: () => keep(name.value.trim()) },
    });
    const progress = h("p", { class: "caption", id: "label-progress" }),
      trouble = h("div", { role: "alert" }),
      place = h("div", { id: "label-review" });
    const buttons = LABELS.map(([label, text, key]) =>
      h(
        "button",
        {
          type: "button",
          class: "button",
          "aria-keyshortcuts": key,
          data: { label },
          on: { click: () => answer(label) },
        },
        text,
        h("kbd", { "aria-hidden": "true" }, key),
      ),
    );
    const undo = h(
      "button",
      {
        type: "button",
        class: "button",
        "aria-keyshortcuts": "z",
        disabled: true,
        on: { click: () => back() },
      },
      t("Undo"),
      h("kbd", { "aria-hidden": "true" }, "z"),
    );
    root.append(
      h(
        "section",
        { class: "card label-card" },
        h(
          "div",
          { class: "label-head" },
          h(
            "label",
            { class: "pill" },
            h("span", { class: "pill-label" }, h("span", null, t("Your name")), name),
          ),
          progress,
        ),
        trouble,
        place,
        h(
          "div",
          { class: "label-keys", role: "group", "aria-label": t("What the text says") },
          buttons,
          undo,
        ),
        h(
          "p",
          { class: "caption" },
          t(
            "Say what the text says, not what the stars would be. Stars count where there are any; a label counts for a review without stars and shows how the model errs. The model's reading is not shown here, so that it does not lead you.",
          ),
        ),
      ),
    );

    const params = () => queryParams({ without: WITHOUT });

    async function load() {
      const own = ++run,
        r = await fresh(address("labels/next", { ...params(), n: AHEAD }).slice("/v1/".length));
      if (own !== run) return;
      last = r;
      first ??= r.figure;
      items = r.items.filter((x) => !labels.has(x.review_id));
      showProgress();
      if (!shown || !items.some((x) => x.review_id === shown.review_id)) show(items[0] || null);
    }

    function showProgress() {
      const before = half(first),
        now = half(last?.figure),
        scope = scopeText({ without: WITHOUT });
      const moved = !now
        ? ""
        : mine && before && before !== now
          ? ` ${t("The range of “{scope}” went from {before} to {now} points.", { scope, before, now })}`
          : ` ${t("The range of “{scope}” is {now} points ({range}).", { scope, now, range: range(last.figure.low, last.figure.high) })}`;
      const all = Object.values(last?.labels || {}).reduce((a, b) => a + b, 0);
      progress.textContent = `${t("{n} labelled now, {all} in all, {waiting} wait.", { n: count(mine), all: count(all), waiting: count(last?.waiting) })}${moved}`;
    }

    function show(r) {
      const jump = place.contains(document.activeElement) || document.activeElement === document.body;
      shown = r;
      buttons.forEach((b) => (b.disabled = !r));
      undo.disabled = !undone.length;
      if (!r) {
        const hidden = last?.figure.reliability === "hidden";
        clear(
          place,
          hidden
            ? h(
                "div",
                { class: "state" },
                h("p", null, icon("hidden"), ` ${t("Hidden [c]")}. `, WHY["Hidden [c]"]),
              )
            : emptyState(
                last?.figure.n_by_hand
                  ? t("Every review that the model reads has stars or a label here.")
                  : t(
                      "Nothing to label here: every review that the model reads has stars, or no model has read any.",
                    ),
              ),
        );
        return;
      }
      const text = h(
        "article",
        { class: "label-review", tabindex: -1, "aria-label": t("Review to label") },
        h(
          "p",
          { class: "review-head" },
          r.reviewed_at ? h("span", null, date(r.reviewed_at)) : h("span", { class: "muted" }, t("no date")),
          r.region ? h("span", null, r.region) : null,
          r.product ? h("span", { class: "muted" }, r.product) : null,
          r.hidden.length
            ? h(
                "abbr",
                {
                  class: "muted",
                  title: `${t("Hidden")}: ${r.hidden.map((k) => FILTERS[k] ?? k).join(", ")}. ${WHY["Hidden [c]"]}`,
                },
                "[c]",
              )
            : null,
        ),
        r.title ? h("p", { class: "review-title", dir: "auto", lang: r.lang }, r.title) : null,
        h("p", { class: "review-text", dir: "auto", lang: r.lang }, r.text),
      );
      clear(place, text);
      if (jump) text.focus({ preventScroll: true });
    }

    function who() {
      const by = name.value.trim();
      if (by) return by;
      say(t("Write your name first: labels say who gave them."));
      name.focus();
      return null;
    }

    // Answers go out one after the other, in the order they were given.
    function send(what, failed) {
      pending += 1;
      sending = sending.then(what).then(
        () => {
          pending -= 1;
          clear(trouble);
          forget();
          return pending ? null : load();
        },
        (err) => {
          pending -= 1;
          failed();
          clear(
            trouble,
            failedState(err, () => load().then(() => clear(trouble)), t("The review is shown again.")),
          );
          showProgress();
        },
      );
      sending = sending.catch((err) =>
        clear(
          trouble,
          failedState(err, () => load().then(() => clear(trouble))),
        ),
      );
    }

    function answer(label) {
      const by = shown && who(),
        r = shown;
      if (!by) return;
      labels.set(r.review_id, label);
      undone.push(r);
      mine += 1;
      items = items.filter((x) => x.review_id !== r.review_id);
      queue = params();
      const offered = Object.fromEntries(
        ["source", "start", "end", "region", "product"].filter((k) => queue[k]).map((k) => [k, queue[k]]),
      );
      const data = { by, labels: [{ review_id: r.review_id, label }], queue: offered };
      show(items[0] || null);
      say(`${wordOf(label)}. ${shown ? t("Next review.") : t("No review is left.")}`);
      send(
        () => post("labels", data),
        () => {
          labels.delete(r.review_id);
          undone.splice(undone.indexOf(r), 1);
          mine -= 1;
          show(r);
        },
      );
    }

    function back() {
      const by = undone.length && who(),
        r = undone.at(-1);
      if (!by) return;
      const label = labels.get(r.review_id);
      undone.pop();
      labels.delete(r.review_id);
      mine -= 1;
      items.unshift(r);
      show(r);
      say(t("Taken back: {label}.", { label: wordOf(label) }));
      send(
        () => remove("labels", { review_id: r.review_id, by, source: params().source }),
        () => {
          undone.push(r);
          labels.set(r.review_id, label);
          mine += 1;
          undo.disabled = false;
        },
      );
    }

    // Before the page's own keys: here a question mark is an answer.
    const onKey = (e) => {
      if (isTyping(e)) return;
      const label = LABELS.find(([, , key]) => key === e.key.toLowerCase());
      if (!label && e.key.toLowerCase() !== "z") return;
      e.preventDefault();
      e.stopImmediatePropagation();
      if (label) answer(label[0]);
      else back();
    };
    addEventListener("keydown", onKey, true);

    return {
      async update() {
        first = shown = null;
        mine = 0;
        undone.length = 0;
        labels.clear();
        clear(trouble);
        await sending;
        try {
          await load();
        } catch (err) {
          show(null);
          clear(
            place,
            failedState(err, () => this.update(), ""),
          );
        }
      },
      unmount: () => removeEventListener("keydown", onKey, true),
    };
  },
};
