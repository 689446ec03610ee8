// Map: "Where is it worse than chance explains?" The ranked list is the map for keyboards and where WebGL is missing.
import { get } from "../api.js";
import { card, emptyState, table } from "../card.js";
import { $, $$, clear, drawn, h, hideTip, icon, s, say, showTip } from "../dom.js";
import {
  drawable,
  figure,
  isHidden,
  isWide,
  safePath,
  symbol,
  written,
  proofButton,
  proofKey,
} from "../figure.js";
import { nothing } from "../empty.js";
import { FIGURE_COLUMNS, figureCells, save } from "../export.js";
import { count, fixed, plural } from "../format.js";
import { t, tn } from "../language.js";
import {
  cellLines,
  extentOf,
  land,
  legend,
  legendSVG,
  padded,
  paint,
  staticMap,
  namePlaces,
  ofKind,
  outlines,
  regionCells,
} from "../geo.js";
import { queryParams, filtersOf, here, href, meta, state } from "../state.js";
import { WHY } from "../words.js";

const WITHOUT = ["sentiment", "q"];
const REGIONS = ["regions", t("Regions")];
const SIZES = [
  ["large", t("Large")],
  ["medium", t("Medium")],
  ["small", t("Small")],
];
const COLOURS = [
  "sea",
  "land",
  "control",
  "hairline",
  "ink",
  "halo",
  "hatch-fill",
  "hatch-line",
  ...[0, 1, 2, 3, 4].map((i) => `seq-${i}`),
  ...[0, 1, 2, 3, 4, 5, 6].map((i) => `div-${i}`),
];

function palette() {
  const probe = h("span", { hidden: true });
  document.body.append(probe);
  const out = Object.fromEntries(
    COLOURS.map((c) => {
      probe.style.color = `var(--${c})`;
      return [c, getComputedStyle(probe).color];
    }),
  );
  probe.remove();
  return out;
}
function hatchImage(c) {
  const n = 16,
    canvas = h("canvas", { width: n, height: n }),
    g = canvas.getContext("2d");
  g.fillStyle = c["hatch-fill"];
  g.fillRect(0, 0, n, n);
  g.strokeStyle = c["hatch-line"];
  g.lineWidth = 2;
  for (const o of [-n, 0, n]) {
    g.beginPath();
    g.moveTo(o, n);
    g.lineTo(o + n, 0);
    g.stroke();
  }
  return g.getImageData(0, 0, n, n);
}
const canGL = () => {
  try {
    return Boolean(h("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
};

let engine = null;
async function maplibre() {
  if (!canGL())
    throw new Error(
      t("This browser offers no WebGL, so the map is a plain picture; the list and the table are complete."),
    );
  engine ??= (async () => {
    const lib = await import("/static/vendor/maplibre-gl.mjs").catch(() => {
      throw new Error(
        t(
          "The map library is not installed, so the map is a plain picture. Next step: python -m smart_customer_analysis.app.vendor",
        ),
      );
    });
    lib.setWorkerUrl("/static/vendor/maplibre-gl-worker.mjs");
    if (!$("link[data-map]")) {
      const css = h("link", { rel: "stylesheet", href: "/static/vendor/maplibre-gl.css", "data-map": "1" });
      await new Promise((done) => {
        css.addEventListener("load", done);
        css.addEventListener("error", done);
        document.head.append(css);
      });
    }
    return lib;
  })();
  return engine;
}

const blank = { type: "FeatureCollection", features: [] };

function layers(c) {
  return [
    { id: "sea", type: "background", paint: { "background-color": c.sea } },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": c.land } },
    { id: "coast", type: "line", source: "land", paint: { "line-color": c.control, "line-width": 0.7 } },
    {
      id: "ground",
      type: "fill",
      source: "outlines",
      filter: ["==", ["get", "kind"], "country"],
      paint: { "fill-color": c.land },
    },
    {
      id: "cells",
      type: "fill",
      source: "cells",
      filter: ["!", ["in", ["get", "paint"], ["literal", ["hatch", "clear"]]]],
      paint: {
        "fill-color": [
          "match",
          ["get", "paint"],
          ...Object.keys(c)
            .filter((k) => /^(seq|div)-/.test(k))
            .flatMap((k) => [k, c[k]]),
          "wide",
          c["hatch-fill"],
          c.land,
        ],
        "fill-opacity": 0.94,
      },
    },
    {
      id: "hidden",
      type: "fill",
      source: "cells",
      filter: ["==", ["get", "paint"], "hatch"],
      paint: { "fill-pattern": "hatch" },
    },
    { id: "edges", type: "line", source: "cells", paint: { "line-color": c.hairline, "line-width": 0.6 } },
    {
      id: "regions",
      type: "line",
      source: "outlines",
      filter: ["==", ["get", "kind"], "region"],
      paint: { "line-color": c.control, "line-width": 1, "line-dasharray": [3, 2] },
    },
    {
      id: "borders",
      type: "line",
      source: "outlines",
      filter: ["==", ["get", "kind"], "country"],
      paint: { "line-color": c.control, "line-width": 1 },
    },
    {
      id: "hot-halo",
      type: "line",
      source: "cells",
      filter: ["==", ["get", "outlined"], true],
      paint: { "line-color": c.halo, "line-width": 5.5 },
    },
    {
      id: "hot",
      type: "line",
      source: "cells",
      filter: ["==", ["get", "outlined"], true],
      paint: { "line-color": c.ink, "line-width": 2.5 },
    },
    {
      id: "people",
      type: "circle",
      source: "people",
      paint: {
        "circle-radius": 3,
        "circle-color": c.ink,
        "circle-stroke-color": c.halo,
        "circle-stroke-width": 1,
      },
    },
    { id: "picked-halo", type: "line", source: "picked", paint: { "line-color": c.halo, "line-width": 8 } },
    { id: "picked", type: "line", source: "picked", paint: { "line-color": c.ink, "line-width": 4 } },
  ];
}

function centre(f) {
  const ring = f.geometry.type === "Polygon" ? f.geometry.coordinates[0] : f.geometry.coordinates[0][0];
  return [
    ring.reduce((sum, p) => sum + p[0], 0) / ring.length,
    ring.reduce((sum, p) => sum + p[1], 0) / ring.length,
  ];
}

export default {
  question: t("Where is it worse than chance explains?"),
  inactive: {
    sentiment: t("Sentiment does not act here: a share of negative reviews needs all of them."),
    q: t("Words act only in Reviews."),
    compare: true,
  },
  mount(root, ctx) {
    let map = null,
      lib = null,
      markers = [],
      data = null,
      plain = false,
      ready = null,
      whyPlain = "",
      landData = null,
      outlineData = null,
      areas = []; // regions in the form of cells
    const stage = h("div", { class: "map-stage" }),
      cover = h("div", { class: "map-cover", hidden: true }), // over an empty or outdated map: why nothing is drawn
      note = h("p", { class: "caption map-note", hidden: true }),
      legendBox = h("div", { class: "map-legend" });
    const controls = h("div", { class: "map-controls", role: "group", "aria-label": t("Map settings") });
    const spots = card({
        id: "spots",
        title: t("Hot spots"),
        subtitle: "…",
        minHeight: 120,
        phoneHeight: 224,
      }),
      picked = h("section", { class: "card picked", "aria-live": "polite", hidden: true });
    const regions = card({ id: "regions", title: t("Regions"), minHeight: 120 });
    root.append(
      controls,
      h(
        "div",
        { class: "map-grid" },
        h(
          "div",
          { class: "map-left" },
          h(
            "div",
            {
              class: "map-frame",
              role: "group",
              "aria-label": t(
                "Map of the share of negative reviews. The list of hot spots and the table of regions say the same in words.",
              ),
            },
            stage,
            cover,
          ),
          legendBox,
          note,
        ),
        h("div", { class: "map-right" }, spots.el, picked, regions.el),
      ),
    );

    const opt = () => ({
      size: SIZES.some(([v]) => v === state.query.size)
        ? state.query.size
        : hasRegions() && state.query.metric !== "difference"
          ? "regions"
          : "large",
      metric: state.query.metric === "difference" ? "difference" : "share",
      hot: state.query.hot !== "off",
      people: state.query.people === "on",
    });
    const hasRegions = () => ofKind(outlineData, "region").length > 1,
      byRegion = () => opt().size === "regions";
    const breaks = () => data?.legend?.breaks || [0, 0.1, 0.2, 0.3, 0.4, 1];

    function drawControls() {
      const o = opt();
      const box = (key, on, off, label, checked) =>
        h(
          "label",
          { class: "check" },
          h("input", {
            type: "checkbox",
            checked,
            on: {
              change: (e) => ctx.navigate(here({ [key]: e.target.checked ? on : off }), { replace: true }),
            },
          }),
          label,
        );
      clear(
        controls,
        h(
          "label",
          { class: "pill" },
          h(
            "span",
            { class: "pill-label" },
            h("span", null, t("Show")),
            h(
              "select",
              {
                on: {
                  change: (e) =>
                    ctx.navigate(here({ metric: e.target.value === "share" ? "" : e.target.value })),
                },
              },
              [
                ["share", t("Share negative")],
                ["difference", t("Points above all")],
              ].map(([v, text]) => h("option", { value: v, selected: v === o.metric }, text)),
            ),
          ),
        ),
        h(
          "div",
          { class: "switch", role: "group", "aria-label": t("Regions, or the size of the cells") },
          (hasRegions() && o.metric === "share" ? [REGIONS, ...SIZES] : SIZES).map(([v, text], i) =>
            h(
              "button",
              {
                type: "button",
                "aria-pressed": String(v === o.size),
                on: { click: () => ctx.navigate(here({ size: i ? v : "", pick: "" })) },
              },
              text,
            ),
          ),
        ),
        box("hot", "", "off", t("Hot spots"), o.hot),
        box("people", "on", "", t("Customers"), o.people),
        h(
          "span",
          { class: "map-save" },
          h(
            "button",
            { type: "button", class: "button", disabled: !data, on: { click: saveGeoJSON } },
            "GeoJSON",
          ),
        ),
      );
    }
    function saveGeoJSON() {
      const keep = {
        ...data,
        features: data.features.map((f) => ({
          ...f,
          properties: Object.fromEntries(
            Object.entries(f.properties)
              .filter(([k]) => !["paint", "outlined"].includes(k))
              .map(([k, v]) => [
                k,
                isWide(f.properties) && ["share", "difference", "counted"].includes(k) ? null : v,
              ]),
          ),
        })),
        filters: filtersOf(),
      };
      save("map-cells.geojson", new Blob([JSON.stringify(keep)], { type: "application/geo+json" }));
    }

    function prepared() {
      const o = opt(),
        b = breaks();
      for (const f of [...data.features, ...areas]) {
        const p = f.properties;
        p.outlineOnly = byRegion() && !p.cell.startsWith("region:");
        p.paint = p.outlineOnly ? (p.hot ? "clear" : "none") : paint(p, o.metric, b) || "none";
        p.outlined = Boolean(p.hot) && o.hot;
      }
      const shown = byRegion() ? [...areas, ...data.features] : data.features;
      return {
        type: "FeatureCollection",
        features: shown.filter((f) => f.properties.paint !== "none"),
      };
    }

    async function startMap() {
      lib = await maplibre();
      const c = palette();
      map = new lib.Map({
        container: stage,
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        maxZoom: 11,
        renderWorldCopies: false,
        cooperativeGestures: matchMedia("(max-width: 719px)").matches,
        fadeDuration: 0,
        bounds: padded(extentOf(data.features, data.extent)),
        fitBoundsOptions: { padding: 16 },
        style: {
          version: 8,
          sources: {
            land: {
              type: "geojson",
              data: (!outlineData?.features.length && landData) || blank,
              attribution: "",
            },
            outlines: { type: "geojson", data: outlineData || blank },
            cells: { type: "geojson", data: prepared() },
            people: { type: "geojson", data: blank },
            picked: { type: "geojson", data: blank },
          },
          layers: [],
        },
      });
      map.touchZoomRotate.disableRotation();
      const zoom = (by, name, sign) =>
        h(
          "button",
          {
            type: "button",
            "aria-label": name,
            on: { click: () => map.zoomTo(map.getZoom() + by, { duration: 0 }) },
          },
          sign,
        );
      stage.append(h("div", { class: "map-zoom" }, zoom(1, t("Zoom in"), "+"), zoom(-1, t("Zoom out"), "−")));
      map.addControl(new lib.ScaleControl({}), "bottom-left");
      map.getCanvas().setAttribute("aria-label", t("Map; the list of hot spots says the same in words"));
      map.getCanvas().setAttribute("role", "img");
      await new Promise((done, fail) => {
        map.once("load", done);
        map.once("error", (e) => fail(e.error));
      });
      map.addImage("hatch", hatchImage(c), { pixelRatio: 2 });
      for (const l of layers(c)) map.addLayer(l);
      const at = (e) => map.queryRenderedFeatures(e.point, { layers: ["cells", "hidden"] })[0];
      map.on("mousemove", (e) => {
        const f = at(e);
        map.getCanvas().style.cursor = f ? "pointer" : "";
        if (f)
          showTip(
            cellLines(find(f.properties.cell)?.properties || f.properties, data.overall),
            e.originalEvent.clientX,
            e.originalEvent.clientY,
          );
        else hideTip();
      });
      map.on("mouseout", hideTip);
      map.on("moveend", () => {
        if (data) drawMarkers();
      });
      map.on("click", (e) => {
        const f = at(e);
        if (f) pick(f.properties.cell);
      });
    }

    const find = (cell) =>
      cell ? [...(data?.features || []), ...areas].find((f) => f.properties.cell === cell) : undefined;
    const spotOf = (p) => data.hotspots.find((x) => x.rank === p.rank || (x.cell && x.cell === p.cell));

    function pick(cell, { centreIt = false } = {}) {
      ctx.navigate(here({ pick: cell }), { replace: true });
      const f = find(cell);
      if (f && centreIt && map)
        map.easeTo({
          center: centre(f),
          zoom: Math.max(map.getZoom(), 6),
          duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
        });
    }

    function drawPicked() {
      const f = find(state.query.pick),
        p = f?.properties;
      picked.hidden = !p;
      if (map?.getSource("picked"))
        map.getSource("picked").setData(f ? { type: "FeatureCollection", features: [f] } : blank);
      if (!p) return;
      const spot = spotOf(p),
        all = data.overall,
        door = safePath(spot?.evidence || p.evidence),
        region = meta.regions
          .filter((r) => (p.name || "").startsWith(r))
          .sort((a, b) => b.length - a.length)[0];
      clear(
        picked,
        h("h3", null, t("Selected: {name}", { name: p.name || t("unnamed place") })),
        p.state === "hidden"
          ? h("p", null, icon("hidden"), ` [c] ${WHY["Hidden [c]"]}`)
          : [
              h(
                "p",
                null,
                figure({
                  value: p.share,
                  low: p.low,
                  high: p.high,
                  n_reviews: p.n_reviews,
                  reliability: p.share === null ? "wide" : p.reliability || "ok",
                  evidence: door,
                }),
                ` · ${plural(p.n_customers, "customer")}`,
              ),
              all && drawable(all)
                ? h(
                    "p",
                    { class: "caption" },
                    t("All reviews: {share}, {reviews}", {
                      share: written(all),
                      reviews: plural(all.n_reviews, "review"),
                    }),
                  )
                : null,
            ],
        door
          ? h("p", null, h("a", { href: door }, t("Open the reviews →")))
          : region
            ? h(
                "p",
                null,
                h(
                  "a",
                  { href: href("reviews", { region }) },
                  t("All reviews of region {name} →", { name: region }),
                ),
              )
            : null,
        p.state === "hidden"
          ? null
          : p.cell.startsWith("region:")
            ? h(
                "p",
                { class: "caption" },
                t("Regions are compared with the period before under What changed."),
              )
            : h(
                "details",
                null,
                h("summary", null, t("How we know")),
                h(
                  "p",
                  { class: "caption" },
                  p.hot
                    ? t(
                        "Tested together with its neighbours, corrected for the number of cells; hot at {n} of 3 cell sizes.",
                        { n: p.sizes_hot ?? "[x]" },
                      )
                    : t("Tested together with its neighbours; not worse than chance explains."),
                  Number.isFinite(p.q_value) ? ` ${t("Adjusted p {p}.", { p: fixed(p.q_value, 3) })}` : "",
                  Number.isFinite(p.p_value)
                    ? ` ${t("Alone p {p}, from drawing lots (999 permutations unless set otherwise, seed 42).", { p: fixed(p.p_value, 3) })}`
                    : "",
                ),
              ),
        h(
          "button",
          {
            type: "button",
            class: "button",
            on: {
              click: () => {
                pick("");
                $("#spots a, #spots button")?.focus();
              },
            },
          },
          t("Close"),
        ),
      );
    }

    // A number that would cover a higher-ranked one waits for a closer zoom; the list holds them all.
    function drawMarkers() {
      markers.forEach((m) => m.remove());
      markers = [];
      if (!map) return;
      const taken = [];
      for (const x of opt().hot ? data.hotspots : []) {
        if (!Number.isFinite(x.lon)) continue;
        const at = map.project([x.lon, x.lat]);
        if (taken.some((q) => Math.hypot(q.x - at.x, q.y - at.y) < 22)) continue;
        taken.push(at);
        const el = h("div", { class: "map-rank", "aria-hidden": "true" }, String(x.rank));
        markers.push(new lib.Marker({ element: el }).setLngLat([x.lon, x.lat]).addTo(map));
        el.removeAttribute("tabindex");
        el.removeAttribute("role");
        el.removeAttribute("aria-label");
      }
      const box = map.getContainer();
      for (const place of namePlaces(outlineData, {
        width: box.clientWidth,
        height: box.clientHeight,
        project: (at) => map.project(at),
        unproject: (x, y) => map.unproject([x, y]).toArray(),
        taken,
      })) {
        const el = h("div", { class: `map-name map-name-${place.kind}`, "aria-hidden": "true" }, place.name);
        markers.push(new lib.Marker({ element: el }).setLngLat(place.at).addTo(map));
        for (const a of ["tabindex", "role", "aria-label"]) el.removeAttribute(a);
      }
    }

    async function drawPeople() {
      if (!map?.getSource("people")) return;
      if (!opt().people) {
        map.getSource("people").setData(blank);
        return;
      }
      const b = map.getBounds(),
        box = [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((v) => v.toFixed(4)).join(",");
      try {
        map.getSource("people").setData(
          await get("customers", {
            bbox: box,
            segment: state.query.segment,
            source: state.query.source,
            limit: 2000,
          }),
        );
      } catch (err) {
        say(t("Customers could not be shown: {why}", { why: err.message }));
      }
    }

    // What the plain map shows, on the page and in the exported picture.
    function drawnData() {
      const o = opt();
      return {
        landData,
        outlineData,
        cells: prepared().features,
        hotspots: o.hot ? data.hotspots : [],
        hot: o.hot,
        extent: extentOf(data.features, data.extent),
        breaks: breaks(),
        metric: o.metric,
      };
    }

    async function drawMap() {
      const cells = prepared(),
        o = opt();
      clear(legendBox, legend(cells.features, o.metric, breaks(), { soft: hasRegions() }));
      if (!plain) {
        try {
          ready ??= startMap();
          await ready;
          map.getSource("cells").setData(cells);
          drawMarkers();
          await drawPeople();
        } catch (err) {
          plain = true;
          whyPlain = err.message;
          try {
            map?.remove();
          } catch {
            /* never started */
          }
          map = null;
        }
      }
      if (plain) {
        stage.replaceChildren();
        const box = h("div", { class: "plot" });
        stage.append(box);
        drawn(box, (w) =>
          staticMap({
            ...drawnData(),
            width: w,
            height: Math.max(300, stage.clientHeight || 480),
            tips: (p) => cellLines(p, data.overall),
            onPick: (p) => pick(p.cell),
            selected: state.query.pick,
            name: data.sentence,
          }),
        );
      }
      note.hidden = !plain;
      note.textContent = whyPlain;
    }

    const drawSVG = (w) => {
      const ih = Math.round(w * 0.6),
        svg = s("svg", { width: w, height: ih + 56, viewBox: `0 0 ${w} ${ih + 56}`, class: "chart" });
      svg.append(
        staticMap({ ...drawnData(), width: w, height: ih }),
        legendSVG(w, opt().metric, breaks(), ih + 12),
      );
      return svg;
    };

    function list() {
      const hs = data.hotspots,
        title = hs.length
          ? tn(
              "{n} hot spot: worse than chance explains",
              "{n} hot spots: worse than chance explains",
              hs.length,
            )
          : data.sentence,
        all = data.overall;
      return {
        title,
        subtitle: [
          drawable(all)
            ? `${t("All reviews: {share}, {reviews}", { share: written(all), reviews: plural(all.n_reviews, "review") })}. `
            : "",
          t("Where nothing differs, at most 1 map in 20 shows a hot spot."),
        ],
        body: hs.length
          ? h(
              "ol",
              { class: "spots" },
              hs.map((x) => {
                const f = data.features.find((y) => y.properties.rank === x.rank) || find(x.cell),
                  cell = f?.properties.cell;
                return h(
                  "li",
                  { class: state.query.pick && cell === state.query.pick ? "on" : null },
                  h(
                    "button",
                    {
                      type: "button",
                      class: "spot",
                      "aria-pressed": String(Boolean(cell) && cell === state.query.pick),
                      on: { click: () => cell && pick(cell, { centreIt: true }) },
                    },
                    h("span", { class: "map-rank" }, String(x.rank)),
                    h("span", null, x.name),
                  ),
                  h("span", { class: "spot-figure" }, figure(x)),
                  proofButton(proofKey("cell", x.cell), h("span", { class: "sr" }, x.name), "spot-proof"),
                );
              }),
            )
          : data.features.some((f) => f.properties.state === "shown")
            ? h(
                "p",
                { class: "quiet" },
                t("The shares of the places are on the map and in the table of regions."),
              )
            : h("p", { class: "quiet" }, icon("hidden"), ` [c] ${WHY["Hidden [c]"]}`),
        csv: () => ({
          title: "Map cells",
          without: WITHOUT,
          columns: ["cell", "place", "state", "hot", "sizes_hot", ...FIGURE_COLUMNS],
          rows: data.features.map(({ properties: p }) => [
            p.cell,
            p.name,
            p.state,
            p.hot,
            p.sizes_hot,
            ...figureCells({
              ...p,
              value: p.share,
              reliability: p.state === "hidden" ? "hidden" : p.reliability,
            }),
          ]),
        }),
        picture: () => ({
          title,
          subtitle:
            opt().metric === "share"
              ? t("Share of negative reviews by place")
              : t("Points above the share of all, of the hot spots; no other place is proven to differ"),
          without: WITHOUT,
          svg: drawSVG,
        }),
      };
    }

    function regionTable(r) {
      const rows = r.items.filter((x) => x.name);
      if (!rows.length)
        return { title: t("Regions"), body: emptyState(t("No review carries a region in this period.")) };
      const top = [...rows].filter(drawable).sort((a, b) => b.low - a.low)[0];
      return {
        title: t("Regions"),
        subtitle: top
          ? t("Share of negative reviews by region; sort by any column")
          : t("Share of negative reviews by region"),
        body: table(
          [
            {
              name: t("Region"),
              cell: (x) =>
                x.key === "unknown" ? t("unknown") : h("a", { href: here({ region: x.key }) }, x.name),
              sort: (x) => x.name,
              num: false,
            },
            { name: t("Negative"), cell: (x) => figure(x, { n: false }), sort: (x) => x.value, num: true },
            {
              name: t("Reviews"),
              cell: (x) => (isHidden(x) ? symbol(x) : count(x.n_reviews)),
              sort: (x) => x.n_reviews,
              num: true,
            },
          ],
          rows,
          { caption: t("Share of negative reviews by region"), sort: { by: 1, down: true } },
        ),
        caption: h(
          "p",
          { class: "caption" },
          t(
            "Differences between regions are not tested here; what is proven stands under What changed and Hot spots.",
          ),
        ),
        csv: () => ({
          title: "Negative reviews by region",
          without: WITHOUT,
          columns: ["region", ...FIGURE_COLUMNS],
          rows: rows.map((x) => [x.name, ...figureCells(x)]),
        }),
      };
    }

    function empty(text) {
      data = null;
      lastAsk = "";
      clear(legendBox);
      clear(cover, h("p", null, text));
      cover.hidden = false;
      picked.hidden = true;
      drawControls();
    }

    const onTheme = () => {
      if (map) {
        const c = palette();
        for (const l of layers(c)) {
          if (map.getLayer(l.id))
            for (const [k, v] of Object.entries(l.paint))
              if (k !== "fill-pattern") map.setPaintProperty(l.id, k, v);
        }
        map.updateImage("hatch", hatchImage(c));
      }
    };
    addEventListener("themechange", onTheme);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", onTheme);
    const onKey = (e) => {
      if (e.key === "Escape" && state.query.pick && !$$("dialog[open]").length) {
        pick("");
        $("#spots .spot")?.focus();
      }
    };
    document.addEventListener("keydown", onKey);
    let lastAsk = "";
    drawControls();

    return {
      async update() {
        drawControls();
        outlineData ??= await outlines();
        if (outlineData) drawControls();
        const size = byRegion() ? "large" : opt().size,
          params = { ...queryParams({ without: WITHOUT }), size },
          key = JSON.stringify({ ...params, ...opt() });
        if (key === lastAsk && data) {
          drawPicked();
          $$(".spots li").forEach((li, i) => {
            const on =
              data.features.find((y) => y.properties.rank === data.hotspots[i].rank)?.properties.cell ===
                state.query.pick && Boolean(state.query.pick);
            li.classList.toggle("on", on);
            $(".spot", li)?.setAttribute("aria-pressed", String(on));
          });
          if (plain) await drawMap();
          return;
        }
        await Promise.all([
          spots.load(async (signal) => {
            const [d, l] = await Promise.all([
              get("map/cells", params, signal).catch((err) => {
                if (err.name !== "AbortError")
                  empty(t("The map could not be loaded. {why}", { why: err.message }));
                throw err;
              }),
              land(outlineData),
            ]);
            cover.hidden = true;
            data = d;
            landData = l;
            lastAsk = key;
            ctx.matching(d.overall?.n_reviews);
            if (!d.features.length) {
              empty(t("Nothing to draw."));
              return {
                title: t("No place to show"),
                subtitle: "",
                body:
                  d.overall.n_reviews === 0 ? await nothing({ without: WITHOUT }) : emptyState(d.sentence),
              };
            }
            drawControls();
            drawPicked();
            say(d.sentence);
            return list();
          }),
          regions.load(async (signal) => {
            const r = await get("shares", { ...queryParams({ without: WITHOUT }), by: "region" }, signal);
            areas = regionCells(outlineData, r.items);
            return regionTable(r);
          }),
        ]);
        if (data?.features.length && lastAsk === key) {
          await drawMap();
          drawPicked();
        } // the list never waits for the map
      },
      unmount() {
        removeEventListener("themechange", onTheme);
        dark.removeEventListener("change", onTheme);
        document.removeEventListener("keydown", onKey);
        spots.cancel();
        regions.cancel();
        map?.remove();
        hideTip();
      },
    };
  },
};
