// Downloads: numbers with their range, n, filters and period; pictures in the light scheme with title, legend and date.
import { h, s } from "./dom.js";
export { FIGURE_COLUMNS, figureCells } from "./figure.js";
import { date } from "./format.js";
import { t } from "./language.js";
import { period, scopeText, state, filtersOf, meta } from "./state.js";

const slug = (title) =>
  title
    .normalize("NFD")
    .replace(/\p{M}/gu, "") // "ç" is "c" in a file name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60) || "download";

export function save(name, blob) {
  const url = URL.createObjectURL(blob),
    a = h("a", { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function cell(v) {
  if (v === null || v === undefined) return "";
  let text = String(v);
  if (typeof v !== "number" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`; // a spreadsheet must not run a review
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
export const csvText = (rows) => rows.map((r) => r.map(cell).join(",")).join("\r\n") + "\r\n";

export function csvOf({ title, columns, rows, without = [] }) {
  const p = period(),
    f = Object.entries(filtersOf()).filter(([k]) => !["start", "end", ...without].includes(k));
  return csvText([
    ["# title", title],
    ["# shop", meta.shop || ""],
    ["# period", p ? p.start : "", p ? p.end : ""],
    ["# filters", ...f.map(([k, v]) => `${k}=${v}`)],
    ["# address", state.path + location.search],
    ["# made", new Date().toISOString()],
    columns,
    ...rows,
  ]);
}
export function saveCSV(what) {
  save(`${slug(what.title)}.csv`, new Blob(["﻿", csvOf(what)], { type: "text/csv;charset=utf-8" }));
}

const PROPS = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "opacity",
  "font-size",
  "font-weight",
  "text-anchor",
  "dominant-baseline",
  "paint-order",
];

function flattened(svg) {
  const stage = h("div", { class: "stage", "data-scheme": "light" }, svg);
  document.body.append(stage);
  const all = [...svg.querySelectorAll("*")];
  for (const el of all) {
    const cs = getComputedStyle(el);
    for (const p of PROPS) {
      const v = cs.getPropertyValue(p);
      if (v && !v.startsWith("url")) el.setAttribute(p, v.replace(/px$/, ""));
    }
  }
  for (const el of all) el.removeAttribute("class"); // last: the look of a text comes from the classes around it
  svg.setAttribute("font-family", 'Inter, "Segoe UI", Roboto, "Noto Sans", sans-serif');
  stage.remove();
  return svg;
}

function wrapped(text, width) {
  const out = [],
    max = Math.floor(width / 7.4);
  let line = "";
  for (const word of text.split(/\s+/)) {
    if ((line + " " + word).trim().length > max) {
      out.push(line);
      line = word;
    } else line = `${line} ${word}`.trim();
  }
  return [...out, line].filter(Boolean);
}

// picture: {title, subtitle, svg: width => svg element, width}
export function composed({ title, subtitle = "", svg, width = 860, without = [] }) {
  const inner = svg(width),
    ih = Number(inner.getAttribute("height")),
    titles = wrapped(title, width * 0.8);
  const top = 24 + titles.length * 26 + 28;
  const out = s(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width: width + 48,
      height: top + ih + 44,
      viewBox: `0 0 ${width + 48} ${top + ih + 44}`,
    },
    s("rect", { width: "100%", height: "100%", fill: "#FFFFFF" }),
    titles.map((line, i) => s("text", { x: 24, y: 38 + i * 26, class: "x-title" }, line)),
    s("text", { x: 24, y: 38 + titles.length * 26 - 4, class: "x-sub" }, subtitle),
  );
  inner.setAttribute("x", 24);
  inner.setAttribute("y", top);
  out.append(
    inner,
    s(
      "text",
      { x: 24, y: top + ih + 28, class: "x-sub" },
      `${meta.shop ? `${meta.shop} · ` : ""}${scopeText({ without })} · ${t("made {date}", { date: date(new Date().toISOString()) })}`,
    ),
  );
  return flattened(out);
}
export function saveSVG(picture) {
  const svg = composed(picture);
  save(
    `${slug(picture.title)}.svg`,
    new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" }),
  );
}
export async function savePNG(picture) {
  const svg = composed(picture),
    w = Number(svg.getAttribute("width")),
    hh = Number(svg.getAttribute("height"));
  const img = new Image();
  img.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  await img.decode();
  const canvas = h("canvas", { width: 2 * w, height: 2 * hh });
  canvas.getContext("2d").drawImage(img, 0, 0, 2 * w, 2 * hh);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  save(`${slug(picture.title)}.png`, blob);
}
