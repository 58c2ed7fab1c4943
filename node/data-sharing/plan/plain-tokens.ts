/**
 * Forms of words, numbers and texts that PostgreSQL and DuckDB, or two versions of one of them, read differently: `0x1F` is 31 here and a zero
 * called `x1f` there, and a name of 64 bytes is cut by one of them.
 */

/** PostgreSQL cuts longer names, DuckDB keeps them. */
const nameBytesMax = 63;

/** Why a token is refused, completing "The SQL is refused at ...: "; null for one that is read in one way only. */
export function reasonAgainstToken(token: string): string | null {
  if (/^(?:--|\/\*)/.test(token)) return null;
  if (/^(?:[eE]'|[uU]&|\$(?!\d))/.test(token))
    return "texts and names are written without escapes: 'it''s', or a plain name";
  if (token.startsWith("'") && !/^'(?:[^']|'')*'$/.test(token)) return "a text ends where its quote ends";
  if (/^\.?\d/.test(token) && !/^(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(token))
    return "numbers are written with digits and a point";
  const isName = /^["\p{L}_]/u.test(token);
  if (isName && Buffer.byteLength(token.replace(/^"|"$/g, "")) > nameBytesMax)
    return `a name is longer than ${nameBytesMax} bytes`;
  return null;
}
