// In which language the page speaks: ?lang, else what was chosen before, else the browser's where we have all of it.
export const LANGUAGES = { en: "English", pt: "português", es: "español", de: "Deutsch", fr: "français" };
export const WHOLE = ["en", "pt"]; // the others are begun: nobody gets them who has not asked

const inAddress = new URLSearchParams(location.search).get("lang");
function remembered() {
  try {
    return localStorage.getItem("lang");
  } catch {
    return null; // private window
  }
}
function choose() {
  const chosen = [inAddress, remembered()].find((l) => Object.hasOwn(LANGUAGES, l ?? ""));
  return chosen || navigator.languages.map((l) => l.slice(0, 2)).find((l) => WHOLE.includes(l)) || "en";
}

export const language = choose();
document.documentElement.lang = language;
if (inAddress === language) remember(language);

export function remember(l) {
  try {
    localStorage.setItem("lang", l);
  } catch {
    /* refused: the address alone has it */
  }
}

let table = {};
if (language !== "en") {
  const res = await fetch(`/static/words/${language}.json`).catch(() => null);
  table = (res?.ok && (await res.json().catch(() => null))) || {}; // without it the page is English
}

const lists = new Intl.ListFormat(language === "en" ? "en-GB" : language); // "a, b and c", "a, b e c"
export const joined = (items) => lists.format(items);

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (slot, name) => values[name] ?? slot);
// The countries of the map come with their English names; the browser knows those of other languages.
let countries = null;
export function countryName(english) {
  if (language === "en") return english;
  if (!countries) {
    const names = (l) => new Intl.DisplayNames(l, { type: "region", fallback: "none" }),
      [from, to] = [names("en"), names(language)],
      letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"],
      codes = letters.flatMap((a) => letters.map((b) => a + b));
    countries = new Map(codes.filter((c) => from.of(c)).map((c) => [from.of(c), to.of(c)]));
  }
  return countries.get(english) ?? english;
}
// A text in the language of the page. It is written in English here; what no catalogue has stays English.
export const t = (text, values = {}) =>
  fill([Object.hasOwn(table, text) ? table[text] : text].flat()[0], values);
// The form for one, or for more.
export function tn(one, many, n, values = {}) {
  const forms = table[one] ?? [one, many],
    isOne = language === "fr" ? n < 2 : n === 1;
  return fill([forms].flat().at(isOne ? 0 : -1), { n, ...values });
}
