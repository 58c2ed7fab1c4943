/** LIKE over a declared domain: `%` stands for any characters, `_` for one. */

/** The codes of the texts that match, or null for a pattern with a backslash. */
export function codesLike(domain: readonly string[], pattern: string): string[] | null {
  if (pattern.includes("\\")) return null;
  return domain.flatMap((text, code) => (isLike([...text], [...pattern]) ? [String(code)] : []));
}

/** In time of the product of both lengths: no pattern makes it slow. */
function isLike(text: string[], pattern: string[]): boolean {
  let ends = new Set([0]);
  for (const sign of pattern) {
    const next = new Set<number>();
    for (const end of ends) {
      if (sign === "%") for (let at = end; at <= text.length; at++) next.add(at);
      else if (end < text.length && (sign === "_" || sign === text[end])) next.add(end + 1);
    }
    ends = next;
  }
  return ends.has(text.length);
}
