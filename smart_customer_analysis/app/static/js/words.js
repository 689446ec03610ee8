// The words of the key: the same on the page, in reports and in the documentation.
export const KEY = [
  ["Range", "Ranges made this way contain the true share 19 times out of 20."],
  [
    "Proven",
    "The difference passed a test that allows for how many we looked at. Ranges can overlap and a change still be proven: the test looks at the difference.",
  ],
  ["No proven change", "It may have moved, these reviews cannot tell.", "none"],
  ["Worse", "The share of negative reviews is higher, proven.", "worse"],
  ["Better", "The share of negative reviews is lower, proven.", "better"],
  ["Event", "A segment split, merged, appeared or left.", "event"],
  ["Corrected", "Adjusted for how often the model mistakes one kind for the other."],
  ["Unsure", "The model cannot keep its agreed error here, so it does not answer.", "unsure"],
  ["Hot spot", "Worse than chance explains, with its neighbours, at two of three cell sizes."],
  ["Hidden [c]", "Fewer than 10 customers behind the number, or needed to protect such a group.", "hidden"],
  ["Wide [u]", "Too few reviews for one number.", "wide"],
  ["Missing [x]", "Not available. Missing is not zero, and zero is not hidden."],
  ["Running week", "The week is not over: drawn hollow, never compared.", "running"],
  ["Stable", "Share of a segment that stays together when customers are drawn again."],
  ["Points", "Difference between two percentages."],
];
export const WHY = Object.fromEntries(KEY.map(([k, v]) => [k, v]));

export const MARKS = {
  worse: "worse",
  better: "better",
  none: "no proven change",
  event: "event",
  unsure: "unsure",
  first: "no earlier period to compare",
  not_comparable: "not comparable",
  hidden: "hidden",
  wide: "wide range",
};
