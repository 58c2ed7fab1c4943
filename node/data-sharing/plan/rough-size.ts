/**
 * How much SQL there is, by a glance: before the parser is asked, whose own reading of signs and of comments in comments takes time of the square
 * of their length. It may miss what the parser counts later, and never counts more than a reader would.
 */
import { placeAtCharacter, refuse, sqlDepthMax, sqlNodesMax } from "./sql-node.ts";

/** PostgreSQL takes no longer ones; a shorter run of signs may be several. */
const operatorLengthMax = 63;

const piece =
  /--[^\n\r]*|\/\*|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|[\p{L}\p{M}\p{N}_$.]+|(?:(?!--|\/\*)[-+*/<>=~!@#%^&|`?])+|\S/gu;
const commentEdge = /\/\*|\*\//g;

/** @throws TrustedDataError `sql_refused`, with the place. */
export function checkSize(sql: string): void {
  let pieces = 0;
  let depth = 0;
  const refuseAt = (index: number, reason: string) =>
    refuse(placeAtCharacter(sql, [...sql.slice(0, index)].length), reason);
  const scan = new RegExp(piece);
  for (let found = scan.exec(sql); found !== null; found = scan.exec(sql)) {
    const { 0: text, index } = found;
    if (text.startsWith("--")) continue;
    if (text === "/*") {
      scan.lastIndex = endOfComment(sql, index, refuseAt);
      continue;
    }
    if (++pieces > sqlNodesMax) refuseAt(index, `it has more than ${sqlNodesMax} parts`);
    if (/^[([{]$/.test(text)) depth++;
    if (/^[)\]}]$/.test(text)) depth--;
    if (depth > sqlDepthMax) refuseAt(index, `it is nested deeper than ${sqlDepthMax} levels`);
    if (text.length > operatorLengthMax && /^[-+*/<>=~!@#%^&|`?]/.test(text))
      refuseAt(index, `an operator is longer than ${operatorLengthMax} characters`);
  }
}

/** Comments hold comments, as PostgreSQL reads them. */
function endOfComment(
  sql: string,
  start: number,
  refuseAt: (index: number, reason: string) => never,
): number {
  const edge = new RegExp(commentEdge);
  edge.lastIndex = start;
  let depth = 0;
  for (let found = edge.exec(sql); found !== null; found = edge.exec(sql)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
    if (depth > sqlDepthMax) refuseAt(found.index, `it is nested deeper than ${sqlDepthMax} levels`);
  }
  return refuseAt(start, "a comment has no end");
}
