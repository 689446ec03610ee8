// Talking to /v1. Answers are kept for half a minute, so that Back and a second look cost nothing.
import { language, t } from "./language.js";

const KEEP_MS = 30_000,
  KEEP = 60;
const kept = new Map();

export class ApiError extends Error {
  constructor(message, { status = 0, title = "", requestId = "", retryAfter = 0, errors = [] } = {}) {
    super(message);
    Object.assign(this, { status, title, requestId, retryAfter, errors });
  }
}

export function address(path, params = {}) {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(params)) if (v !== undefined && v !== null && v !== "") q.set(k, v);
  const text = q.toString();
  return `/v1/${path}${text ? `?${text}` : ""}`;
}

async function read(url, options) {
  let res;
  try {
    res = await fetch(url, {
      ...options,
      headers: { accept: "application/json", "accept-language": language, ...options?.headers },
      credentials: "same-origin",
    });
  } catch (err) {
    if (err.name === "AbortError") throw err;
    throw new ApiError(t("The server did not answer."), { title: t("No connection") });
  }
  const type = res.headers.get("content-type") || "";
  const body = type.includes("json") ? await res.json().catch(() => null) : null;
  if (res.status === 401) document.dispatchEvent(new CustomEvent("sca:key"));
  if (!res.ok || body === null) {
    throw new ApiError(
      body?.detail || body?.title || t("The server answered {status}.", { status: res.status }),
      {
        status: res.status,
        title: body?.title || "",
        requestId: body?.request_id || res.headers.get("x-request-id") || "",
        retryAfter: Number(res.headers.get("retry-after")) || 0,
        errors: body?.errors || [],
      },
    );
  }
  return body;
}

// Cards of one view ask for the same answer: they share one request, which stops when none of them waits any more.
const running = new Map();

function shared(url) {
  const stop = new AbortController(),
    entry = { waiting: 0, stop };
  entry.body = read(url, { signal: stop.signal })
    .then((body) => {
      kept.delete(url);
      kept.set(url, { at: Date.now(), body });
      if (kept.size > KEEP) kept.delete(kept.keys().next().value);
      return body;
    })
    .finally(() => {
      if (running.get(url) === entry) running.delete(url);
    });
  entry.body.catch(() => {});
  running.set(url, entry);
  return entry;
}

export async function get(path, params, signal) {
  const url = address(path, params),
    hit = kept.get(url);
  if (hit && Date.now() - hit.at < KEEP_MS) return hit.body;
  const entry = running.get(url) || shared(url);
  if (!signal) {
    entry.waiting = Infinity;
    return entry.body;
  }
  entry.waiting += 1;
  return new Promise((done, fail) => {
    signal.addEventListener(
      "abort",
      () => {
        entry.waiting -= 1;
        if (!entry.waiting) {
          running.delete(url);
          entry.stop.abort();
        }
        fail(new DOMException("Cancelled", "AbortError"));
      },
      { once: true },
    );
    entry.body.then(done, fail);
  });
}
export const forget = () => kept.clear();
// An answer that changes by the second is never kept.
export const fresh = (path, signal) => read(`/v1/${path}`, { signal });

export const remove = (path, params) => read(address(path, params), { method: "DELETE" });
export const post = (path, data, signal) =>
  read(`/v1/${path}`, {
    method: "POST",
    body: JSON.stringify(data),
    headers: { "content-type": "application/json" },
    signal,
  });
