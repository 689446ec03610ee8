// The words of the key: the same on the page, in reports and in the documentation. Each: its English name, its name, what it means.
import { t } from "./language.js";

export const KEY = [
  ["Range", t("Range"), t("Ranges made this way contain the true share 19 times out of 20.")],
  [
    "Proven",
    t("Proven"),
    t(
      "The difference passed a test that allows for how many we looked at. Ranges can overlap and a change still be proven: the test looks at the difference.",
    ),
  ],
  ["No proven change", t("No proven change"), t("It may have moved, these reviews cannot tell."), "none"],
  ["Worse", t("Worse"), t("The share of negative reviews is higher, proven."), "worse"],
  ["Better", t("Better"), t("The share of negative reviews is lower, proven."), "better"],
  ["Event", t("Event"), t("A segment split, merged, appeared or left."), "event"],
  ["Corrected", t("Corrected"), t("Adjusted for how often the model mistakes one kind for the other.")],
  ["Unsure", t("Unsure"), t("The model cannot keep its agreed error here, so it does not answer."), "unsure"],
  [
    "Hot spot",
    t("Hot spot"),
    t("Worse than chance explains, with its neighbours, at two of three cell sizes."),
  ],
  [
    "Hidden [c]",
    t("Hidden [c]"),
    t("Fewer than 10 customers behind the number, or needed to protect such a group."),
    "hidden",
  ],
  ["Wide [u]", t("Wide [u]"), t("Too few reviews for one number."), "wide"],
  ["Missing [x]", t("Missing [x]"), t("Not available. Missing is not zero, and zero is not hidden.")],
  ["Running week", t("Running week"), t("The week is not over: drawn hollow, never compared."), "running"],
  ["Stable", t("Stable"), t("Share of a segment that stays together when customers are drawn again.")],
  ["Points", t("Points"), t("Difference between two percentages.")],
];
export const WHY = Object.fromEntries(KEY.map(([k, , v]) => [k, v]));

export const MARKS = {
  worse: t("worse"),
  better: t("better"),
  none: t("no proven change"),
  event: t("event"),
  unsure: t("unsure"),
  first: t("no earlier period to compare"),
  not_comparable: t("not comparable"),
  hidden: t("hidden"),
  wide: t("wide range"),
};
