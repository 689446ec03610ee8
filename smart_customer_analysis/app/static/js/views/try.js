// Try a review: "What would the model say, and can I trust it?"
import { get, post } from "../api.js";
import { $, clear, h, icon, say } from "../dom.js";
import { chance, count, pct, plural, range } from "../format.js";
import { check, tokens, wordLegend, words } from "../explain.js";

const MOST = 10_000,
  PAUSE = 400;
// Examples are reviews of this shop, one of each kind, and one on which the model and the stars are apart.
const KINDS = [
  ["negative", (r) => r.predicted === "negative" && r.rating <= 2],
  ["positive", (r) => r.predicted === "positive" && r.rating >= 4],
  ["unsure", (r) => r.predicted === "unsure"],
  ["mistake", (r) => r.disagrees],
];
const written = (r) => [r.title && !r.text.startsWith(r.title) ? `${r.title}\n` : "", r.text].join("");
const samples = (rows) =>
  KINDS.map(([name, test]) => [
    name,
    rows.find(
      (r) => r.rating && r.p_negative !== null && r.text.length >= 40 && r.text.length <= 500 && test(r),
    ),
  ]).filter(([, r]) => r);
const UNSURE = "The model cannot keep its agreed error on this text, so it does not answer.";
const OUTSIDE = {
  "no known word": "it knows none of its words",
  "too short": "it is much shorter than the reviews it learnt from",
  "too long": "it is much longer than the reviews it learnt from",
  "other subject": "it is about something else than the reviews it learnt from",
};
// Why the model must not speak of a text: a reason of the API in words.
function outside(reason) {
  const code = reason.startsWith("language ") ? reason.slice(9) : null,
    why = code
      ? `it looks like ${new Intl.DisplayNames("en", { type: "language" }).of(code)}, which it did not learn`
      : OUTSIDE[reason] || reason;
  return `The model gives no verdict on this text: ${why}.`;
}
const NO_PROMISE = "Too few held-out reviews to promise an error rate: take the percentage as it is.";
const REASON = "Filters do not act here: the model reads only the text in the box.";

export default {
  question: "What would the model say, and can I trust it?",
  inactive: {
    start: REASON,
    segment: REASON,
    region: REASON,
    product: REASON,
    extra: REASON,
    sentiment: REASON,
    q: REASON,
    compare: true,
  },
  mount(root, ctx) {
    let timer = 0,
      stop = null,
      run = 0,
      counting = 0,
      text = "",
      sample = null,
      bounds = null;
    const area = h("textarea", {
      id: "text",
      rows: 5,
      maxlength: String(MOST + 500),
      "aria-describedby": "text-help",
      placeholder: "Write or paste a review…",
      spellcheck: "true",
      dir: "auto",
    });
    const help = h("span", { id: "text-help", class: "caption" }),
      out = h("div", { class: "verdict", id: "verdict" }),
      model = h("span", { class: "caption" }),
      asking = h("span", { class: "caption", hidden: true }, "Asking …"),
      tries = h("p", { class: "samples" });
    root.append(
      h(
        "section",
        { class: "card try" },
        h(
          "div",
          { class: "try-top" },
          tries,
          h("p", { class: "caption" }, "Nothing you type is stored. ", model),
        ),
        h("label", { class: "sr", for: "text" }, "Text of the review"),
        area,
        h(
          "div",
          { class: "try-under" },
          h("span", null, help, " ", asking),
          h("span", { class: "caption keys" }, "Ctrl+Enter asks at once"),
        ),
        out,
      ),
    );
    idle();

    function idle() {
      clear(out, h("p", { class: "muted" }, "The answer appears here while you write."));
      help.textContent = `0 of ${count(MOST)} characters`;
    }
    const clean = () => {
      clearTimeout(timer);
      clearInterval(counting);
      stop?.abort();
      run++;
      asking.hidden = true;
      out.classList.remove("updating");
    };

    function ask(wait = PAUSE) {
      text = area.value;
      const n = [...text].length;
      help.textContent = `${count(n)} of ${count(MOST)} characters`;
      clean();
      if (!text.trim()) {
        idle();
        return;
      }
      if (n > MOST) {
        help.textContent = `${count(n)} of ${count(MOST)} characters: too long by ${count(n - MOST)}. Shorten the text.`;
        return;
      }
      timer = setTimeout(go, wait);
    }

    // The verdict is shown when it is there; the words behind it take longer and follow.
    async function go() {
      const mine = ++run,
        sent = text;
      stop = new AbortController();
      out.classList.add("updating");
      asking.hidden = false;
      try {
        const p = (await post("predict", { text: sent }, stop.signal)).predictions[0];
        if (mine !== run) return;
        const place = show(sent, p);
        out.classList.remove("updating");
        asking.hidden = true;
        explain(mine, sent, place);
      } catch (err) {
        if (mine !== run || err.name === "AbortError") return;
        if (err.status === 429) busy(Math.max(1, err.retryAfter || 2));
        else
          clear(
            out,
            h(
              "div",
              { class: "state state-failed" },
              h("p", null, h("strong", null, icon("failed"), " No answer. "), err.message),
              h(
                "p",
                { class: "muted" },
                "Your text is kept.",
                err.requestId ? ` Request ${err.requestId}.` : "",
              ),
              h(
                "p",
                { class: "actions" },
                h("button", { type: "button", class: "button", on: { click: () => ask(0) } }, "Retry"),
              ),
            ),
          );
      } finally {
        if (mine === run) {
          out.classList.remove("updating");
          asking.hidden = true;
        }
      }
    }

    // Words cost more than a verdict, so they are sent for only when nothing is typed for another moment.
    async function explain(mine, sent, place) {
      await new Promise((done) => setTimeout(done, PAUSE));
      if (mine !== run) return;
      try {
        const x = await post("explain", { text: sent }, stop.signal);
        if (mine !== run) return;
        clear(
          place,
          h("h2", null, "Which words speak for it"),
          words(sent, x, { drop }),
          x.faithful ? wordLegend() : null,
          h("p", { class: "caption" }, check(x), x.faithful ? " Tap a word to drop it and ask again." : ""),
        );
      } catch (err) {
        if (mine !== run || err.name === "AbortError") return;
        if (err.status === 429) {
          timer = setTimeout(() => explain(mine, sent, place), 1000 * Math.max(1, err.retryAfter || 2));
          return;
        }
        clear(
          place,
          h(
            "p",
            { class: "muted" },
            `The words behind it could not be loaded: ${err.message} The answer above holds.`,
          ),
        );
      }
    }

    function busy(seconds) {
      let left = seconds;
      const line = h("p", { class: "muted" });
      clear(out, line);
      const tick = () => {
        line.textContent = left > 0 ? `Busy, again in ${left} s. Your text is kept.` : "Asking again …";
        if (left-- <= 0) {
          clearInterval(counting);
          go();
        }
      };
      tick();
      counting = setInterval(tick, 1000);
    }

    function show(sent, p) {
      const place = h(
        "div",
        { class: "verdict-words" },
        h("p", { class: "muted" }, "Asking which words speak for it …"),
      );
      const no = p.outside ? outside(p.outside) : UNSURE;
      const inside =
        p.label === null || Boolean(bounds && p.p_negative > bounds[0] && p.p_negative < bounds[1]);
      const sure = !inside,
        word = p.label === "negative" ? "Negative" : "Positive",
        value = p.label === "positive" ? p.p_positive : p.p_negative;
      const held = bounds || [0.4, 0.6]; // a text that got no answer lies in the band, whatever its percentage
      const band = inside
        ? [Math.min(held[0], p.p_negative - 0.02), Math.max(held[1], p.p_negative + 0.02)]
        : held;
      const sentence = sure
        ? `${word}${bounds ? ", sure" : ""}: ${chance(value)}.`
        : p.outside
          ? no
          : `Unsure: ${no}`;
      const curl = `curl -s ${location.origin}/v1/predict -H 'content-type: application/json' -d '${JSON.stringify({ text: sent }).replaceAll("'", "'\\''")}'`;
      clear(
        out,
        h(
          "div",
          { class: "verdict-main" },
          h(
            "p",
            { class: `verdict-word${sure ? ` verdict-${p.label}` : ""}` },
            inside
              ? [icon("unsure"), p.outside ? " No verdict" : " Unsure"]
              : bounds
                ? [word, h("span", null, ", sure")]
                : word,
          ),
          h(
            "div",
            {
              class: "verdict-scale",
              role: "img",
              "aria-label": `Chance of negative: ${chance(p.p_negative)}`,
            },
            h("span", { class: "tick" }, "positive"),
            h(
              "div",
              { class: "scale" },
              h("i", { class: "scale-base" }),
              bounds || inside
                ? h(
                    "i",
                    {
                      class: "scale-band",
                      style: { left: `${100 * band[0]}%`, right: `${100 * (1 - band[1])}%` },
                    },
                    h("span", null, "unsure"),
                  )
                : null,
              h("i", { class: "scale-dot", style: { left: `${100 * p.p_negative}%` } }),
            ),
            h("span", { class: "tick" }, "negative"),
          ),
          h(
            "p",
            { class: "verdict-number" },
            h("b", null, chance(sure ? value : p.p_negative)),
            " ",
            sure ? p.label : "negative",
          ),
          h("p", { class: `caption${p.tokens_read < p.tokens_total ? " cut" : ""}` }, tokens(p)),
        ),
        inside ? h("p", null, no) : bounds ? null : h("p", { class: "caption" }, NO_PROMISE),
        sample && written(sample) === sent ? h("p", null, beside(sample, sure ? p.label : null)) : null,
        place,
        h(
          "p",
          { class: "actions" },
          h(
            "button",
            {
              type: "button",
              class: "button",
              on: {
                click: async (e) => {
                  try {
                    await navigator.clipboard.writeText(curl);
                    e.target.textContent = "Copied";
                    say("Copied as curl.");
                  } catch {
                    const box = $("#curl");
                    box.hidden = false;
                    box.focus();
                  }
                },
              },
            },
            "Copy as curl",
          ),
        ),
        h("pre", { id: "curl", class: "curl", tabindex: 0, hidden: true }, curl),
      );
      say(`${sentence} ${tokens(p)}`);
      return place;
    }

    // What the customer's own stars say to the answer.
    function beside(r, label) {
      const stars = `This customer gave ${plural(r.rating, "star")}`,
        side = r.rating <= 2 ? "negative" : r.rating >= 4 ? "positive" : null;
      if (!label || !side) return `${stars}.`;
      return side === label
        ? `${stars}: the answer is right.`
        : `${stars}: by them, the answer is a mistake.`;
    }

    function drop(start, end) {
      const chars = [...area.value];
      area.value = [...chars.slice(0, start), ...chars.slice(end)].join("").replace(/ {2,}/g, " ");
      say("Dropped, asking again.");
      ask(0);
    }

    area.addEventListener("input", () => ask());
    area.addEventListener("keydown", (e) => {
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
        e.preventDefault();
        ask(0);
      }
    });
    async function learn() {
      const r = await get("reviews", { limit: 100 }).catch(() => null),
        examples = samples(r?.items || []);
      tries.hidden = !examples.length;
      clear(
        tries,
        "Reviews of this shop: ",
        examples.map(([name, row]) =>
          h(
            "button",
            {
              type: "button",
              class: "button",
              on: {
                click: () => {
                  sample = row;
                  area.value = written(row);
                  area.focus();
                  ask(0);
                },
              },
            },
            name === "mistake" ? "one it gets wrong" : name,
          ),
        ),
      );
    }
    return {
      async update() {
        const learnt = learn();
        try {
          const o = await get("overview", {}),
            a = o.model?.accuracy,
            t = o.model?.unsure_band;
          if (Array.isArray(t) && t.length === 2) bounds = t;
          model.textContent = o.model
            ? `Model ${o.model.version}${a?.value !== undefined && a?.value !== null ? ` · right ${pct(a.value)} (${range(a.low, a.high)}), ${count(a.n)} reviews` : ""}`
            : "No model is loaded yet: sca train.";
        } catch {
          model.textContent = "";
        }
        await learnt;
      },
      unmount: clean,
    };
  },
};
