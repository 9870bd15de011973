/* In which order a search shows what it finds; Sphinx asks this of each result (`html_search_scorer`).
   `coursekit site` writes DEFINED above it: what a lesson defines or builds, and its page. */

/** The words of a name or a question that say something. */
function plainWords(text) {
  const words = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return words.filter((word) => word && !["a", "an", "and", "of", "the"].includes(word));
}

/** Whether two words are one in two forms: weight and weights, dilated and dilation. */
function alike(one, other) {
  const least = Math.max(3, Math.min(one.length, other.length) - 3);
  return one === other || one + "s" === other || other + "s" === one
    || (least > 4 && one.slice(0, least) === other.slice(0, least));
}

/** How much of a name a question is, or a question of a name, from 0 to 1; 0 where each has its own. */
function shared(asked, name) {
  const [few, many] = asked.length < name.length ? [asked, name] : [name, asked];
  const all = few.every((word) => many.some((other) => alike(word, other)));
  return all && few.length ? few.length / many.length : 0;
}

const ASKED = plainWords(new URLSearchParams(window.location.search).get("q") || "");

/** How near the question is to what a page defines, or any page. */
function defines(page) {
  const near = DEFINED.filter(([, where]) => !page || where === page);
  return Math.max(0, ...near.map(([name]) => shared(ASKED, plainWords(name))));
}

var Scorer = {
  // The lesson that defines it, the glossary, other lessons, then names of the package.
  score: ([page, , , , score]) => {
    if (page === "notebooks/GLOSSARY") return score + 30 * defines();
    if (/^notebooks\/\d/.test(page)) return score + 4 + 40 * defines(page);
    return page === "CHANGELOG" ? score - 4 : score;
  },
  // As Sphinx has them.
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
