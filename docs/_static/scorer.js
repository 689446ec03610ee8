// Search: answers to questions come before notebooks, and both before signatures and history.
var Scorer = {
  score: ([page, , , , score]) => {
    if (/^(start|how_to)\/|^reference\/glossary$|^measured\/limits$/.test(page)) return score + 12;
    if (page.startsWith("notebooks/tutorials/")) return score + 3;
    if (page.startsWith("reference/") || page.startsWith("project/CHANGELOG")) return score - 3;
    return score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
