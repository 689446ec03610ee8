// Nothing is left: which filter to drop, and what there would be without it. A filter that would still leave nothing has no button.
import { get } from "./api.js";
import { emptyState } from "./card.js";
import { h } from "./dom.js";
import { count } from "./format.js";
import { t } from "./language.js";
import { LABELS, activeFilters, queryParams, href, here, nameOf, scopeText, state } from "./state.js";

const bare = (key) =>
  key === "period" ? { start: "", end: "", cursor: "", page: "" } : { [key]: "", cursor: "", page: "" };

export async function nothing({ without = [], none = t("No reviews match {filters}.") } = {}) {
  const keys = activeFilters({ without }),
    query = (key) => ({ ...state.query, ...bare(key) });
  const counts = await Promise.all(
    keys.map((key) =>
      get("reviews", { ...queryParams({ without, query: query(key) }), limit: 1 })
        .then((x) => x.total)
        .catch(() => null),
    ),
  );
  const drops = keys
    .map((key, i) => ({ key, n: counts[i] }))
    .filter((x) => x.n !== 0)
    .map(({ key, n }) =>
      h(
        "a",
        { class: "button", href: here(bare(key)) },
        [
          key === "period"
            ? t("Without the dates")
            : t("Without {filter}", { filter: `${LABELS[key]}: ${nameOf(key, state.query[key])}` }),
          ...(n === null ? [] : [count(n)]),
        ].join(": "),
      ),
    );
  const all = h(
    "a",
    { class: "button", href: href(state.view, {}, { keep: { source: state.query.source } }) },
    t("Without all filters"),
  );
  return emptyState(
    none.replace("{filters}", scopeText({ without })),
    ...(drops.length ? drops : keys.length ? [all] : []),
  );
}
