// Since you last looked: kept in this browser alone, by shop. Without storage nothing is said.
const HOURS = 8; // visits closer together are one

const now = () => new Date().toISOString();
function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) || null;
  } catch {
    return null;
  }
}
function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    /* refused: nothing is kept */
  }
}

// marks: keys of the changes that are proven now; n: reviews of the shop. Returns what differs from the visit before.
export function sinceLast(shop, marks, n) {
  const key = `seen:${shop}`,
    kept = read(key),
    current = { at: now(), marks, n },
    recent = kept?.now && Date.now() - Date.parse(kept.now.at) < HOURS * 36e5,
    base = recent ? kept.base || null : kept?.now || null;
  write(key, { base, now: recent ? { ...current, at: kept.now.at } : current });
  if (!base || !Array.isArray(base.marks)) return null;
  return {
    at: base.at,
    fresh: marks.filter((m) => !base.marks.includes(m)),
    ended: base.marks.filter((m) => !marks.includes(m)),
    reviews: Math.max(0, n - base.n),
  };
}
