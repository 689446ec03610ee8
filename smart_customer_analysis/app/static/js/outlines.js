// Countries, and regions drawn round the customers, with the places of their names.
import { get } from "./api.js";
import { state } from "./state.js";

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
        [...taken.map((t) => ({ ...t, half: 12 })), ...out].every(
          (o) => Math.abs(o.x - x) > half + o.half || Math.abs(o.y - y) > 18,
        )
      );
    };
  const put = (f, candidates) => {
    const { name, kind } = f.properties;
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
