/** LIKE over a declared domain: `%` stands for any characters, `_` for one. */

/** Steps of `isLike` that take as long as one part of an expression. */
const stepsOfPart = 100;

/** As long as it may take, in parts of expressions. */
export function partsOfLike(domain: readonly string[], pattern: string): number {
  const length = domain.reduce((sum, text) => sum + text.length, 0);
  const signs = Math.min(pattern.replace(/%+/g, "").length, Math.max(...domain.map((text) => text.length)));
  return Math.ceil((length * (signs + 1)) / stepsOfPart);
}

/** The codes of the texts that match, or null for a pattern with a backslash. */
export function codesLike(domain: readonly string[], pattern: string): string[] | null {
  if (pattern.includes("\\")) return null;
  const signs = [...pattern.replace(/%+/g, "%")];
  const needed = signs.filter((sign) => sign !== "%").length;
  return domain.flatMap((text, code) => {
    // A text is a hundred characters at most, so that a long pattern costs no more than to count it.
    if (needed > text.length) return [];
    return isLike([...text], signs) ? [String(code)] : [];
  });
}

/** In time of the product of both lengths: no pattern makes it slow. After a % the first place where the rest begins is the best one. */
function isLike(text: readonly string[], pattern: readonly string[]): boolean {
  let at = 0;
  let next = 0;
  /** Where the rest after the last % is tried. */
  let triedAt = -1;
  let restAt = -1;
  while (at < text.length) {
    const sign = pattern[next];
    if (sign === "%") {
      triedAt = at;
      restAt = ++next;
    } else if (sign === "_" || sign === text[at]) {
      at++;
      next++;
    } else if (restAt < 0) return false;
    else {
      at = ++triedAt;
      next = restAt;
    }
  }
  return pattern.slice(next).every((sign) => sign === "%");
}
