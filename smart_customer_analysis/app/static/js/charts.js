// Charts drawn by hand in SVG: lines with bands, dots with ranges, flows. No chart library: each of these is 40 lines,
// needs no inline style, carries real links and names, and weighs nothing before the headline is painted.
import { h, hideTip, s, showTip } from "./dom.js";
import { t } from "./language.js";
import { count, plural, shortDate, weekName } from "./format.js";
import { drawable, hasPoint, isHidden, isWide, niceMax, spoken, written } from "./figure.js";

const scale = (a, b, x, y) => (v) => x + ((v - a) / (b - a || 1)) * (y - x);

// points: figures with {week, complete}; onPick(point) answers the address for one week, or null
export function weekly(
  points,
  {
    width,
    height = 240,
    address = null,
    mark = null,
    name = t("Share of negative reviews by week"),
    title = (p) => weekName(p.week),
    tick = (p) => shortDate(p.week),
    open = t("The week is not over."),
  },
) {
  const right = 46,
    left = 40,
    top = 14,
    bottom = 26,
    max = niceMax(points);
  const x = scale(0, Math.max(1, points.length - 1), left + 8, width - right),
    y = scale(0, max, height - bottom, top);
  const step = max <= 0.3 ? 0.1 : max <= 0.6 ? 0.2 : 0.25,
    lines = [];
  for (let v = 0; v <= max + 1e-9; v += step) lines.push(v);
  const svg = s("svg", {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    class: "chart",
    role: "group",
    "aria-label": name,
  });
  if (mark) {
    const inside = points
      .map((p, i) => (p.week >= mark.start && p.week <= mark.end ? i : -1))
      .filter((i) => i >= 0);
    if (inside.length)
      svg.append(
        s("rect", {
          class: "c-now",
          x: x(inside[0]) - 8,
          y: top,
          width: x(inside.at(-1)) - x(inside[0]) + 16,
          height: height - top - bottom,
          rx: 4,
        }),
      );
  }
  for (const v of lines)
    svg.append(
      s("line", { class: v ? "c-grid" : "c-zero", x1: left, x2: width - right + 8, y1: y(v), y2: y(v) }),
      s(
        "text",
        { class: "c-tick", x: left - 6, y: y(v) + 4, "text-anchor": "end" },
        `${Math.round(v * 100)}%`,
      ),
    );
  const ticks = Math.max(2, Math.min(width < 420 ? 4 : 7, points.length)),
    every = Math.max(1, Math.ceil(points.length / ticks));
  const last = points.length - 1;
  points.forEach((p, i) => {
    if ((last - i) % every === 0 && x(i) > left + 4)
      svg.append(s("text", { class: "c-tick", x: x(i), y: height - 6, "text-anchor": "middle" }, tick(p)));
  });
  const runs = [];
  points.forEach((p, i) => {
    if (drawable(p) && p.complete !== false) {
      if (!runs.length || runs.at(-1).at(-1) !== i - 1) runs.push([]);
      runs.at(-1).push(i);
    }
  });
  for (const r of runs) {
    if (r.length > 1)
      svg.append(
        s("path", {
          class: "c-band",
          d: `M${r.map((i) => `${x(i)} ${y(points[i].high)}`).join("L")}L${[...r]
            .reverse()
            .map((i) => `${x(i)} ${y(points[i].low)}`)
            .join("L")}Z`,
        }),
        // A wide range is shown without its point, so the line passes only through weeks that have one.
        ...r
          .slice(1)
          .map((i) =>
            isWide(points[i]) || isWide(points[i - 1])
              ? null
              : s("line", {
                  class: "c-line",
                  x1: x(i - 1),
                  y1: y(points[i - 1].value),
                  x2: x(i),
                  y2: y(points[i].value),
                }),
          )
          .filter(Boolean),
      );
    else
      svg.append(
        s("line", {
          class: "c-whisker",
          x1: x(r[0]),
          x2: x(r[0]),
          y1: y(points[r[0]].low),
          y2: y(points[r[0]].high),
        }),
      );
  }
  const stops = [];
  points.forEach((p, i) => {
    const lines2 = [
      title(p),
      written(p) + (p.complete === false ? `, ${open.toLowerCase().replace(".", "")}` : ""),
      isHidden(p) ? "" : plural(p.n_reviews, "review"),
    ].filter(Boolean);
    const to = address?.(p),
      a = s(to && drawable(p) ? "a" : "g", {
        class: "c-point",
        href: to && drawable(p) ? to : null,
        tabindex: "-1",
        "aria-label": `${title(p)}: ${spoken(p)}${p.complete === false ? ` ${open}` : ""}`,
        role: to && drawable(p) ? null : "img",
      });
    a.append(
      s("rect", {
        class: "c-hit",
        x: x(i) - Math.max(6, (x(1) - x(0)) / 2 || 12),
        y: top,
        width: Math.max(12, x(1) - x(0) || 24),
        height: height - top - bottom,
      }),
    );
    // [c] of neighbouring weeks must not run into one another: on a narrow chart the first of a run speaks for it
    if (isHidden(p) && (x(1) - x(0) >= 18 || !i || !isHidden(points[i - 1])))
      a.append(s("text", { class: "c-tick", x: x(i), y: y(0) - 6, "text-anchor": "middle" }, "[c]"));
    if (drawable(p)) {
      if (p.complete === false)
        a.append(
          s("line", { class: "c-whisker c-running", x1: x(i), x2: x(i), y1: y(p.low), y2: y(p.high) }),
        );
      if (!isWide(p))
        a.append(
          s("circle", {
            class: p.complete === false ? "c-dot c-hollow" : "c-dot",
            cx: x(i),
            cy: y(p.value),
            r: p.complete === false ? 4.5 : 3,
          }),
        );
    }
    const show = () => {
      const r = svg.getBoundingClientRect();
      showTip(lines2, r.left + x(i), r.top + (drawable(p) ? y(p.value) : y(0)));
    };
    a.addEventListener("pointerenter", show);
    a.addEventListener("focus", show);
    a.addEventListener("pointerleave", hideTip);
    a.addEventListener("blur", hideTip);
    stops.push(a);
    svg.append(a);
  });
  // The newest complete week is written at its point, with its range; where it has no point, nothing is.
  const final = points
    .map((p, i) => i)
    .filter((i) => drawable(points[i]) && points[i].complete !== false)
    .at(-1);
  if (final !== undefined && hasPoint(points[final]))
    svg.append(
      s(
        "text",
        {
          class: "c-end",
          x: final === last ? width - 2 : x(final) + 12,
          y: Math.max(12, y(points[final].high) - 8),
          "text-anchor": "end",
        },
        written(points[final]),
      ),
    );
  roving(svg, stops);
  return svg;
}

// One Tab stop for a whole chart; arrow keys move inside it.
export function roving(root, stops) {
  if (!stops.length) return;
  let at = stops.length - 1;
  stops[at].setAttribute("tabindex", "0");
  root.addEventListener("keydown", (e) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    const to =
      e.key === "Home"
        ? 0
        : e.key === "End"
          ? stops.length - 1
          : move
            ? Math.max(0, Math.min(stops.length - 1, at + move))
            : null;
    if (to === null) return;
    e.preventDefault();
    stops[at].setAttribute("tabindex", "-1");
    at = to;
    stops[at].setAttribute("tabindex", "0");
    stops[at].focus();
  });
}

// For pictures: rows of dot and range with labels. rows: [{label, figure}]
export function dotRows(rows, { width, line = null, lineName = "" }) {
  const max = niceMax(rows.map((r) => r.figure)),
    left = Math.min(230, width * 0.34),
    right = 190,
    rowH = 34,
    top = 24,
    height = top + rows.length * rowH + 26;
  const x = scale(0, max, left, width - right),
    svg = s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, class: "chart" });
  for (let v = 0; v <= max + 1e-9; v += max <= 0.4 ? 0.1 : 0.2)
    svg.append(
      s("line", { class: "c-grid", x1: x(v), x2: x(v), y1: top, y2: height - 26 }),
      s(
        "text",
        { class: "c-tick", x: x(v), y: height - 8, "text-anchor": "middle" },
        `${Math.round(v * 100)}%`,
      ),
    );
  if (line !== null)
    svg.append(
      s("line", { class: "c-zero", x1: x(line), x2: x(line), y1: top - 6, y2: height - 26 }),
      s("text", { class: "c-tick", x: x(line), y: 12, "text-anchor": "middle" }, lineName),
    );
  rows.forEach((r, i) => {
    const y = top + rowH * (i + 0.5),
      f = r.figure;
    svg.append(s("text", { class: "c-label", x: 0, y: y + 5 }, r.label));
    if (drawable(f)) {
      svg.append(s("line", { class: "c-whisker c-wide", x1: x(f.low), x2: x(f.high), y1: y, y2: y }));
      if (!isWide(f)) svg.append(s("circle", { class: "c-dot", cx: x(f.value), cy: y, r: 5 }));
    }
    svg.append(
      s(
        "text",
        { class: "c-label", x: width - right + 12, y: y + 5 },
        `${written(f)}${drawable(f) ? `  n ${count(f.n_reviews)}` : ""}`,
      ),
    );
  });
  return svg;
}

const shortened = (name) => (name.length > 20 ? `${name.slice(0, 19).trim()}…` : name);
// Who moved: two columns of segments joined by bands. flows: [{from, to, n}] with n null = hidden
export function flows(list, names, { width, height = 300 }) {
  const shown = list.filter((f) => f.n > 0 && f.from && f.to),
    ids = [...new Set(shown.flatMap((f) => [f.from, f.to]))].sort();
  const sum = (side, id) => shown.filter((f) => f[side] === id).reduce((n, f) => n + f.n, 0);
  const total = shown.reduce((sum, f) => sum + f.n, 0) || 1,
    gap = 10,
    left = 170,
    right = width - 170,
    unit = (height - gap * (ids.length - 1) - 16) / total;
  const svg = s("svg", {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    class: "chart",
    role: "img",
    "aria-label": t("Flows between segments: {flows}", {
      flows: shown
        .filter((f) => f.from !== f.to)
        .map((f) => `${f.from} → ${f.to} ${count(f.n)}`)
        .join(", "),
    }),
  });
  const place = (side) => {
    let y = 8;
    return Object.fromEntries(
      ids.map((id) => {
        const hgt = sum(side, id) * unit,
          at = { y, h: hgt, used: 0 };
        y += hgt + gap;
        return [id, at];
      }),
    );
  };
  const A = place("from"),
    B = place("to"),
    cls = (id) => (/^[A-F]$/.test(id) ? `fill-${id.toLowerCase()}` : "fill-other");
  for (const f of shown.sort((p, q) => (p.from + p.to < q.from + q.to ? -1 : 1))) {
    const a = A[f.from],
      b = B[f.to],
      w = f.n * unit,
      y1 = a.y + a.used,
      y2 = b.y + b.used,
      m = (left + right) / 2;
    a.used += w;
    b.used += w;
    svg.append(
      s(
        "path",
        {
          class: `flow ${f.from === f.to ? "flow-stay" : cls(f.from)}`,
          d: `M${left} ${y1}C${m} ${y1} ${m} ${y2} ${right} ${y2}V${y2 + w}C${m} ${y2 + w} ${m} ${y1 + w} ${left} ${y1 + w}Z`,
        },
        s(
          "title",
          null,
          t("{from} to {to}: {customers}", { from: f.from, to: f.to, customers: plural(f.n, "customer") }),
        ),
      ),
    );
  }
  for (const [side, cols, x, anchor, tx] of [
    ["from", A, left - 8, "end", left - 16],
    ["to", B, right, "start", right + 16],
  ])
    for (const id of ids)
      if (cols[id].h)
        svg.append(
          s("rect", { class: cls(id), x, y: cols[id].y, width: 8, height: Math.max(1, cols[id].h) }),
          s(
            "text",
            { class: "c-tick", x: tx, y: cols[id].y + cols[id].h / 2 + 4, "text-anchor": anchor },
            `${id} ${shortened(names[id] || "")} ${count(sum(side, id))}`,
          ),
        );
  return svg;
}

// Dumbbells: how far each centre lies from all customers, in standard deviations. series: [{id, name, values: {feature: sd}}]
export function dumbbells(rows, ids) {
  const max = Math.max(1, ...rows.flatMap((r) => r.points.map((p) => Math.abs(p.sd)))),
    at = (v) => `${50 + (46 * v) / max}%`;
  return h(
    "div",
    { class: "dumbbells" },
    rows.map((r) =>
      h(
        "div",
        { class: "dumbbell" },
        h("div", { class: "dumbbell-name" }, r.label),
        h(
          "div",
          { class: "dumbbell-track", "aria-hidden": "true" },
          h("i", { class: "zero" }),
          r.points.map((p) => [
            h("i", {
              class: `bar seg-${ids.indexOf(p.id)}`,
              style: { left: at(Math.min(0, p.sd)), width: `${(46 * Math.abs(p.sd)) / max}%` },
            }),
            h(
              "i",
              {
                class: `end ${/^[A-F]$/.test(p.id) ? `badge-${p.id.toLowerCase()}` : "badge-other"}`,
                style: { left: at(p.sd) },
              },
              p.id,
            ),
          ]),
        ),
        h("div", { class: "dumbbell-text" }, r.text),
      ),
    ),
  );
}
