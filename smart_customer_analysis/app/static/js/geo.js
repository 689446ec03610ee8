// The plain map: land, cells in five classes, calm hatch for hidden, double outline and a number for hot spots.
// It is the small map on the Overview, the map without WebGL, and every picture that is saved.
import { get } from "./api.js";
import { h, s, tipped, uid } from "./dom.js";
import { drawable, isWide, written } from "./figure.js";
import { count, pct, plural, range } from "./format.js";
import { countryName, t } from "./language.js";
import { state } from "./state.js";
import { WHY } from "./words.js";

const merc = (lat) =>
  (Math.log(Math.tan(Math.PI / 4 + (Math.max(-84, Math.min(84, lat)) * Math.PI) / 360)) * 180) / Math.PI;

const unmerc = (y) => (Math.atan(Math.exp((y * Math.PI) / 180)) * 360) / Math.PI - 90;

let landPromise = null;
// The rough outline of all land, where there are no finer ones of the countries.
export function land(outlineData = null) {
  if (outlineData?.features.length) return null;
  landPromise ??= fetch("/static/vendor/land.geojson")
    .then((r) => (r.ok ? r.json() : null))
    .catch(() => null);
  return landPromise;
}

export function extentOf(features, known) {
  if (Array.isArray(known) && known.length === 4 && known.every(Number.isFinite)) return known;
  let [w, so, e, n] = [180, 90, -180, -90];
  for (const f of features)
    for (const [x, y] of f.geometry.type === "Polygon"
      ? f.geometry.coordinates[0]
      : f.geometry.coordinates.flat(2)) {
      w = Math.min(w, x);
      e = Math.max(e, x);
      so = Math.min(so, y);
      n = Math.max(n, y);
    }
  return w > e ? [-180, -56, 180, 75] : [w, so, e, n];
}
export function padded([w, so, e, n], share = 0.08) {
  const dx = Math.max(0.3, (e - w) * share),
    dy = Math.max(0.3, (n - so) * share);
  return [Math.max(-180, w - dx), Math.max(-84, so - dy), Math.min(180, e + dx), Math.min(84, n + dy)];
}

export const classOf = (v, breaks) => {
  let i = 0;
  while (i < breaks.length - 2 && v >= breaks[i + 1]) i++;
  return i;
};
export const DIFF = [-0.15, -0.1, -0.05, 0.05, 0.1, 0.15]; // seven classes of difference, in shares
export const diffClass = (v) => DIFF.filter((b) => v >= b).length;

// Which colour a cell gets: "seq-2", "div-5", "hatch" or null for no colour.
export function paint(p, metric, breaks) {
  if (p.outlineOnly) return null;
  if (p.state === "hidden") return "hatch";
  if (p.state === "empty" || p.low === null || p.low === undefined) return null;
  if (isWide(p) || p.share === null || p.share === undefined) return "wide"; // its point is withheld, so is its colour
  if (metric !== "difference") return `seq-${classOf(p.share, breaks)}`;
  // Only a hot spot has passed a test: every other cell is in the middle class, "no proven difference".
  return p.hot ? `div-${Math.max(3, diffClass(p.difference ?? 0))}` : "div-3";
}

export function cellLines(p, overall) {
  if (p.state === "hidden") return [p.name || t("Cell"), `[c] ${WHY["Hidden [c]"]}`];
  const wide = isWide(p) || p.share === null || p.share === undefined;
  return [
    p.name || t("Cell"),
    wide
      ? `${range(p.low, p.high)} [u]`
      : t("{share} negative ({range})", { share: pct(p.share), range: range(p.low, p.high) }),
    `${plural(p.n_reviews, "review")}, ${plural(p.n_customers, "customer")}`,
    drawable(overall) ? t("All: {share}", { share: written(overall) }) : null,
    p.hot ? t("Hot spot: worse than chance explains") : null,
  ].filter(Boolean);
}

const path = (ring, X, Y) => `M${ring.map(([a, b]) => `${X(a).toFixed(1)} ${Y(b).toFixed(1)}`).join("L")}Z`;

const hatchPattern = (id) =>
  s(
    "pattern",
    { id, width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    s("rect", { width: 8, height: 8, class: "m-hatch-fill" }),
    s("line", { x1: 0, y1: 0, x2: 0, y2: 8, class: "m-hatch-line" }),
  );

export function staticMap({
  landData,
  outlineData = null,
  cells = [],
  hotspots = [],
  extent,
  breaks = [0, 0.1, 0.2, 0.3, 0.4, 1],
  metric = "share",
  width,
  height = 300,
  hot = true,
  onPick = null,
  tips = null,
  selected = null,
  name = t("Map"),
}) {
  let [w, so, e, n] = padded(extent);
  let sy = merc(n) - merc(so) || 1,
    sx = e - w || 1;
  const k = Math.min(width / sx, height / sy),
    ox = (width - sx * k) / 2,
    oy = (height - sy * k) / 2;
  const X = (lon) => ox + (lon - w) * k,
    Y = (lat) => oy + (merc(n) - merc(lat)) * k,
    hatch = uid("hatch"),
    clip = uid("clip");
  const seen = [w - ox / k - 1, e + ox / k + 1];
  const svg = s(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, class: "map-svg", role: "img", "aria-label": name },
    s("defs", null, hatchPattern(hatch), s("clipPath", { id: clip }, s("rect", { width, height, rx: 4 }))),
  );
  const g = s("g", { "clip-path": `url(#${clip})` }, s("rect", { width, height, class: "m-sea" }));
  const countries = ofKind(outlineData, "country"),
    rings = [];
  for (const f of countries.length ? [] : landData?.features || (landData ? [landData] : [])) {
    const geo = f.geometry || f,
      polys = geo.type === "Polygon" ? [geo.coordinates] : geo.type === "MultiPolygon" ? geo.coordinates : [];
    for (const poly of polys) {
      const xs = poly[0].map((c) => c[0]),
        ys = poly[0].map((c) => c[1]);
      if (
        Math.max(...xs) >= seen[0] &&
        Math.min(...xs) <= seen[1] &&
        Math.max(...ys) >= so - sy &&
        Math.min(...ys) <= n + sy
      )
        rings.push(poly.map((r) => path(r, X, Y)).join(""));
    }
  }
  if (rings.length) g.append(s("path", { d: rings.join(""), class: "m-land", "fill-rule": "evenodd" }));
  const regions = ofKind(outlineData, "region"),
    shape = (f) => f.geometry.coordinates.map((p) => p.map((r) => path(r, X, Y)).join("")).join("");
  for (const f of countries) g.append(s("path", { d: shape(f), class: "m-country" }));
  const draw = (f) =>
    (f.geometry.type === "Polygon" ? [f.geometry.coordinates] : f.geometry.coordinates)
      .map((p) => p.map((r) => path(r, X, Y)).join(""))
      .join("");
  for (const f of cells) {
    const c = paint(f.properties, metric, breaks);
    if (!c) continue;
    const el = s("path", {
      d: draw(f),
      class: `m-cell ${c === "hatch" ? "" : `fill-${c}`}`,
      fill: c === "hatch" ? `url(#${hatch})` : null,
      "data-cell": f.properties.cell,
    });
    if (tips) tipped(el, () => tips(f.properties));
    if (onPick) el.addEventListener("click", () => onPick(f.properties));
    g.append(el);
  }
  for (const f of regions) g.append(s("path", { d: shape(f), class: "m-region" }));
  for (const f of countries) g.append(s("path", { d: shape(f), class: "m-border" }));
  const names = namePlaces(outlineData, {
    width,
    height,
    project: ([lon, lat]) => ({ x: X(lon), y: Y(lat) }),
    unproject: (x, y) => [w + (x - ox) / k, unmerc(merc(n) - (y - oy) / k)],
    taken: hot
      ? hotspots.filter((p) => Number.isFinite(p.lon)).map((p) => ({ x: X(p.lon), y: Y(p.lat) }))
      : [],
  });
  for (const place of names)
    g.append(
      s(
        "text",
        { x: place.x, y: place.y + 4, "text-anchor": "middle", class: `m-name m-name-${place.kind}` },
        place.name,
      ),
    );
  if (hot) {
    const hots = cells.filter((f) => f.properties.hot);
    for (const f of hots) g.append(s("path", { d: draw(f), class: "m-halo" }));
    for (const f of hots) g.append(s("path", { d: draw(f), class: "m-hot" }));
  }
  const sel = cells.find((f) => f.properties.cell === selected);
  if (sel)
    g.append(s("path", { d: draw(sel), class: "m-halo" }), s("path", { d: draw(sel), class: "m-selected" }));
  if (hot)
    for (const p of [...hotspots].reverse())
      if (Number.isFinite(p.lon))
        g.append(
          s("circle", { cx: X(p.lon), cy: Y(p.lat), r: 9, class: "m-num" }),
          s(
            "text",
            { x: X(p.lon), y: Y(p.lat) + 4, "text-anchor": "middle", class: "m-num-text" },
            String(p.rank),
          ),
        );
  svg.append(g);
  return svg;
}

export function counted(cells, metric, breaks) {
  const out = {};
  for (const f of cells) {
    const c = paint(f.properties, metric, breaks);
    if (c) out[c] = (out[c] || 0) + 1;
  }
  return out;
}

export function legendItems(metric, breaks) {
  if (metric === "difference")
    return [t("no proven difference"), t("+5 to +10"), t("+10 to +15"), "> +15"].map((text, i) => [
      `div-${i + 3}`,
      text,
    ]);
  return breaks
    .slice(0, -1)
    .map((b, i) => [
      `seq-${i}`,
      i === breaks.length - 2
        ? `${Math.round(100 * b)}+`
        : `${Math.round(100 * b)}–${Math.round(100 * breaks[i + 1])}`,
    ]);
}

// Legend with a bar per class for how many cells it holds.
export function legend(cells, metric, breaks, { soft = false } = {}) {
  const n = counted(cells, metric, breaks),
    most = Math.max(1, ...Object.values(n));
  return h(
    "div",
    { class: "legend" },
    h(
      "div",
      { class: "legend-title" },
      metric === "difference"
        ? t("Points above the share of all, of the hot spots; no other place is proven to differ")
        : t("Share negative, %"),
    ),
    h(
      "ul",
      { class: `legend-classes${metric === "difference" ? " legend-diff" : ""}` },
      legendItems(metric, breaks).map(([c, text]) =>
        h(
          "li",
          null,
          h(
            "span",
            { class: "legend-bar", "aria-hidden": "true" },
            h("i", { style: { height: `${(100 * (n[c] || 0)) / most}%` } }),
          ),
          h("span", { class: `swatch swatch-${c}` }),
          h("span", null, text),
          h("span", { class: "legend-n" }, count(n[c] || 0), h("span", { class: "sr" }, ` ${t("cells")}`)),
        ),
      ),
    ),
    h(
      "ul",
      { class: "legend-rest" },
      h("li", null, h("span", { class: "swatch swatch-hot" }), t("hot spot")),
      n.wide
        ? h("li", null, h("span", { class: "swatch swatch-wide" }), `${t("wide [u]")} (${count(n.wide)})`)
        : null,
      h(
        "li",
        null,
        h("span", { class: "swatch swatch-hatch" }),
        `${t("hidden [c]")} (${count(n.hatch || 0)})`,
      ),
      h("li", null, h("span", { class: "swatch swatch-land" }), t("land, no reviews")),
      soft
        ? h(
            "li",
            null,
            h("span", { class: "swatch swatch-soft" }),
            t("region, drawn round its customers, not surveyed"),
          )
        : null,
    ),
  );
}

// The same legend as SVG, for saved pictures.
export function legendSVG(width, metric, breaks, y) {
  const items = [...legendItems(metric, breaks), ["hot", t("hot spot")], ["hatch", t("hidden [c]")]],
    step = Math.min(150, width / items.length),
    hatch = uid("hatch");
  return s(
    "g",
    { transform: `translate(0 ${y})` },
    s("defs", null, hatchPattern(hatch)),
    s(
      "text",
      { x: 0, y: 12, class: "c-tick" },
      metric === "difference" ? t("Points above the share of all, of the hot spots") : t("Share negative, %"),
    ),
    items.map(([c, text], i) => [
      s("rect", {
        x: i * step,
        y: 22,
        width: 16,
        height: 16,
        class: c === "hot" ? "m-hot" : c === "hatch" ? "m-cell" : `m-cell fill-${c}`,
        fill: c === "hatch" ? `url(#${hatch})` : c === "hot" ? "none" : null,
      }),
      s("text", { x: i * step + 22, y: 35, class: "c-tick" }, text),
    ]),
  );
}

// Countries, and regions drawn round the customers, with the places of their names.

export const outlines = () => get("map/outlines", { source: state.query.source }).catch(() => null);
export const ofKind = (data, kind) => (data?.features || []).filter((f) => f.properties.kind === kind);

const polygonsOf = (f) => (f.geometry.type === "Polygon" ? [f.geometry.coordinates] : f.geometry.coordinates);

function holds(f, [x, y]) {
  let inside = false;
  for (const polygon of polygonsOf(f))
    for (const ring of polygon)
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
        const [xi, yi] = ring[i],
          [xj, yj] = ring[j];
        if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
      }
  return inside;
}

// Where each name stands on a map of this size: regions first, then the countries that can be seen; none covers another.
// project: [lon, lat] => {x, y}; unproject: (x, y) => [lon, lat]; taken: places that are covered already.
export function namePlaces(data, { width, height, project, unproject, taken = [] }) {
  const out = [],
    room = (name, x, y) => {
      const half = 4 + name.length * 3.6;
      return (
        x - half > 4 &&
        x + half < width - 4 &&
        y > 18 &&
        y < height - 14 &&
        [...taken.map((o) => ({ ...o, half: 12 })), ...out].every(
          (o) => Math.abs(o.x - x) > half + o.half || Math.abs(o.y - y) > 18,
        )
      );
    };
  const put = (f, candidates) => {
    const { kind } = f.properties,
      name = kind === "country" ? countryName(f.properties.name) : f.properties.name;
    for (const at of candidates) {
      const { x, y } = project(at);
      if (room(name, x, y)) {
        out.push({ name, kind, x, y, at, half: 4 + name.length * 3.6 });
        return;
      }
    }
  };
  const regions = ofKind(data, "region");
  for (const f of regions) {
    const [lon, lat] = f.properties.label,
      { x, y } = project([lon, lat]);
    put(f, [[lon, lat], ...[26, -26].map((d) => unproject(x, y + d))]);
  }
  const grid = [];
  for (let i = 1; i < 10; i++)
    for (let j = 1; j < 10; j++) grid.push(unproject((width * i) / 10, (height * j) / 10));
  for (const f of ofKind(data, "country")) {
    const all = grid.filter((p) => holds(f, p)),
      bare = all.filter((p) => !regions.some((r) => holds(r, p))),
      inside = bare.length ? bare : all;
    if (all.length < 3) continue; // a corner of a country needs no name
    const middle = inside.reduce(([a, b], [c, d]) => [a + c / inside.length, b + d / inside.length], [0, 0]);
    put(
      f,
      [...inside].sort((p, q) => near(p, middle) - near(q, middle)),
    );
  }
  return out;
}
const near = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);

// Regions in the form of cells, so that they are painted, picked and described like them.
export function regionCells(data, items) {
  const shares = new Map((items || []).map((x) => [x.key, x]));
  return ofKind(data, "region")
    .filter((f) => shares.has(f.properties.name))
    .map((f) => {
      const x = shares.get(f.properties.name);
      return {
        type: "Feature",
        geometry: f.geometry,
        properties: {
          ...x,
          cell: `region:${x.key}`,
          name: x.name,
          share: x.value,
          state: x.reliability === "hidden" ? "hidden" : x.n_reviews ? "shown" : "empty",
          hot: false,
        },
      };
    });
}
