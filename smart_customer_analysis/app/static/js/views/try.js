// Try a review: "What would the model say, and can I trust it?"
import { get, post } from "../api.js";
import { $, clear, h, icon, say } from "../dom.js";
import { capital, chance, count, pct, plural, range } from "../format.js";
import { t } from "../language.js";
import { languageName } from "../state.js";
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
const NAMES = {
  negative: t("negative"),
  positive: t("positive"),
  unsure: t("unsure"),
  mistake: t("one it gets wrong"),
};
const UNSURE = t("The model cannot keep its agreed error on this text, so it does not answer.");
const OUTSIDE = {
  "no known word": t("it knows none of its words"),
  "too short": t("it is much shorter than the reviews it learnt from"),
  "too long": t("it is much longer than the reviews it learnt from"),
  "other subject": t("it is about something else than the reviews it learnt from"),
};
// Why the model must not speak of a text: a reason of the API in words.
function outside(reason) {
  const code = reason.startsWith("language ") ? reason.slice(9) : null,
    why = code
      ? t("it looks like {language}, which it did not learn", { language: languageName(code) })
      : OUTSIDE[reason] || reason;
  return t("The model gives no verdict on this text: {why}.", { why });
}
const NO_PROMISE = t("Too few held-out reviews to promise an error rate: take the percentage as it is.");
const VERDICT = {
  negative: capital(NAMES.negative),
  positive: capital(NAMES.positive),
  unsure: capital(NAMES.unsure),
};
const characters = (n) => t("{n} of {most} characters", { n: count(n), most: count(MOST) });
const REASON = t("Filters do not act here: the model reads only the text in the box.");

export default {
  question: t("What would the model say, and can I trust it?"),
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
      placeholder: t("Write or paste a review…"),
      spellcheck: "true",
      dir: "auto",
    });
    const help = h("span", { id: "text-help", class: "caption" }),
      out = h("div", { class: "verdict", id: "verdict" }),
      model = h("span", { class: "caption" }),
      asking = h("span", { class: "caption", hidden: true }, t("Asking …")),
      tries = h("p", { class: "samples" });
    root.append(
      h(
        "section",
        { class: "card try" },
        h(
          "div",
          { class: "try-top" },
          tries,
          h("p", { class: "caption" }, `${t("Nothing you type is stored.")} `, model),
        ),
        h("label", { class: "sr", for: "text" }, t("Text of the review")),
        area,
        h(
          "div",
          { class: "try-under" },
          h("span", null, help, " ", asking),
          h("span", { class: "caption keys" }, t("Ctrl+Enter asks at once")),
        ),
        out,
      ),
    );
    idle();

    function idle() {
      clear(out, h("p", { class: "muted" }, t("The answer appears here while you write.")));
      help.textContent = characters(0);
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
      help.textContent = characters(n);
      clean();
      if (!text.trim()) {
        idle();
        return;
      }
      if (n > MOST) {
        help.textContent = `${characters(n)}: ${t("too long by {n}. Shorten the text.", { n: count(n - MOST) })}`;
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
              h("p", null, h("strong", null, icon("failed"), ` ${t("No answer.")} `), err.message),
              h(
                "p",
                { class: "muted" },
                t("Your text is kept."),
                err.requestId ? ` ${t("Request {id}.", { id: err.requestId })}` : "",
              ),
              h(
                "p",
                { class: "actions" },
                h("button", { type: "button", class: "button", on: { click: () => ask(0) } }, t("Retry")),
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
          h("h2", null, t("Which words speak for it")),
          words(sent, x, { drop }),
          x.faithful ? wordLegend() : null,
          h(
            "p",
            { class: "caption" },
            check(x),
            x.faithful ? ` ${t("Tap a word to drop it and ask again.")}` : "",
          ),
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
            t("The words behind it could not be loaded: {why} The answer above holds.", { why: err.message }),
          ),
        );
      }
    }

    function busy(seconds) {
      let left = seconds;
      const line = h("p", { class: "muted" });
      clear(out, line);
      const tick = () => {
        line.textContent =
          left > 0 ? t("Busy, again in {n} s. Your text is kept.", { n: left }) : t("Asking again …");
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
        h("p", { class: "muted" }, t("Asking which words speak for it …")),
      );
      const no = p.outside ? outside(p.outside) : UNSURE;
      const inside =
        p.label === null || Boolean(bounds && p.p_negative > bounds[0] && p.p_negative < bounds[1]);
      const sure = !inside,
        word = p.label === "negative" ? VERDICT.negative : VERDICT.positive,
        value = p.label === "positive" ? p.p_positive : p.p_negative;
      const held = bounds || [0.4, 0.6]; // a text that got no answer lies in the band, whatever its percentage
      const band = inside
        ? [Math.min(held[0], p.p_negative - 0.02), Math.max(held[1], p.p_negative + 0.02)]
        : held;
      const sentence = sure
        ? `${word}${bounds ? t(", sure") : ""}: ${chance(value)}.`
        : p.outside
          ? no
          : `${VERDICT.unsure}: ${no}`;
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
              ? [icon("unsure"), ` ${p.outside ? t("No verdict") : VERDICT.unsure}`]
              : bounds
                ? [word, h("span", null, t(", sure"))]
                : word,
          ),
          h(
            "div",
            {
              class: "verdict-scale",
              role: "img",
              "aria-label": t("Chance of negative: {share}", { share: chance(p.p_negative) }),
            },
            h("span", { class: "tick" }, t("positive")),
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
                    h("span", null, t("unsure")),
                  )
                : null,
              h("i", { class: "scale-dot", style: { left: `${100 * p.p_negative}%` } }),
            ),
            h("span", { class: "tick" }, t("negative")),
          ),
          h(
            "p",
            { class: "verdict-number" },
            h("b", null, chance(sure ? value : p.p_negative)),
            " ",
            sure ? NAMES[p.label] : NAMES.negative,
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
                    e.target.textContent = t("Copied");
                    say(t("Copied as curl."));
                  } catch {
                    const box = $("#curl");
                    box.hidden = false;
                    box.focus();
                  }
                },
              },
            },
            t("Copy as curl"),
          ),
        ),
        h("pre", { id: "curl", class: "curl", tabindex: 0, hidden: true }, curl),
      );
      say(`${sentence} ${tokens(p)}`);
      return place;
    }

    // What the customer's own stars say to the answer.
    function beside(r, label) {
      const stars = t("This customer gave {stars}", { stars: plural(r.rating, "star") }),
        side = r.rating <= 2 ? "negative" : r.rating >= 4 ? "positive" : null;
      if (!label || !side) return `${stars}.`;
      return side === label
        ? `${stars}: ${t("the answer is right.")}`
        : `${stars}: ${t("by them, the answer is a mistake.")}`;
    }

    function drop(start, end) {
      const chars = [...area.value];
      area.value = [...chars.slice(0, start), ...chars.slice(end)].join("").replace(/ {2,}/g, " ");
      say(t("Dropped, asking again."));
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
        `${t("Reviews of this shop:")} `,
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
            NAMES[name],
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
            band = o.model?.unsure_band;
          if (Array.isArray(band) && band.length === 2) bounds = band;
          model.textContent = o.model
            ? `${t("Model {name}", { name: o.model.version })}${a?.value !== undefined && a?.value !== null ? ` · ${t("right {share} ({range}), {reviews}", { share: pct(a.value), range: range(a.low, a.high), reviews: plural(a.n, "review") })}` : ""}`
            : t("No model is loaded yet: sca train.");
        } catch {
          model.textContent = "";
        }
        await learnt;
      },
      unmount: clean,
    };
  },
};
