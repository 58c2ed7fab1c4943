/** PostgreSQL's parse tree with the place of every node, small enough to be walked without a thought for the stack. */
import { TrustedDataError } from "../../errors.ts";

/** Where in the SQL, both from 1; columns count characters. */
export interface Place {
  line: number;
  column: number;
}

export type SqlValue = string | number | boolean | SqlNode | SqlValue[];

export interface SqlNode {
  /** PostgreSQL's name of the node, such as `A_Expr`; empty for its nameless parts. */
  kind: string;
  place: Place;
  fields: ReadonlyMap<string, SqlValue>;
}

/** A person who reads the SQL gives up before either. */
export const sqlDepthMax = 64;
export const sqlNodesMax = 2_000;

/** `sql_refused` at a place, for `reason`, which completes the sentence "The SQL is refused at ...: <reason>." */
export function refuse(place: Place, reason: string): never {
  throw new TrustedDataError(
    "sql_refused",
    `The SQL is refused at line ${place.line}, column ${place.column}: ${reason}.`,
    { line: String(place.line), column: String(place.column), reason },
  );
}

/** The place of each byte of the UTF-8 text, and of its end: the tree counts bytes. */
export function placesByByte(sql: string): readonly Place[] {
  const places: Place[] = [];
  let place: Place = { line: 1, column: 1 };
  for (const character of sql) {
    for (let byte = Buffer.byteLength(character); byte > 0; byte--) places.push(place);
    place =
      character === "\n"
        ? { line: place.line + 1, column: 1 }
        : { line: place.line, column: place.column + 1 };
  }
  places.push(place);
  return places;
}

/** The place `offset` characters into the text: errors of the grammar count so. */
export function placeAtCharacter(sql: string, offset: number): Place {
  return placesByByte([...sql].slice(0, offset).join("")).at(-1)!;
}

/** Reads the parser's JSON; a node without a location has that of its first part with one, or else its parent's. */
export function readTree(raw: unknown, sql: string): SqlNode {
  const places = placesByByte(sql);
  const offsets = new Map<object, number>();
  findOffsets(raw, 0, offsets);
  let nodes = 0;
  const read = (value: unknown, place: Place, depth: number): SqlValue => {
    if (typeof value !== "object" || value === null) return value as string | number | boolean;
    if (Array.isArray(value)) return value.map((item) => read(item, place, depth));
    nodes++;
    if (nodes > sqlNodesMax) refuse(place, `it has more than ${sqlNodesMax} parts`);
    if (depth > sqlDepthMax) refuse(place, `it is nested deeper than ${sqlDepthMax} levels`);
    const [name, inner] = Object.entries(value)[0] ?? ["", {}];
    const named = /^[A-Z]/.test(name) && Object.keys(value).length === 1;
    const body = Object.entries((named ? inner : value) as object);
    const here = places[offsets.get(value) ?? -1] ?? place;
    const fields = body
      .filter(([key]) => key !== "location")
      .map(([key, item]) => [key, read(item, here, depth + 1)] as const);
    return { kind: named ? name : "", place: here, fields: new Map(fields) };
  };
  return read(raw, { line: 1, column: 1 }, 0) as SqlNode;
}

/** Where each part begins, in bytes: its own `location`, or the least of its parts; too deep ones are refused later. */
function findOffsets(value: unknown, depth: number, offsets: Map<object, number>): number {
  if (typeof value !== "object" || value === null || depth > 3 * sqlDepthMax) return Infinity;
  let least = Infinity;
  for (const part of Object.values(value)) least = Math.min(least, findOffsets(part, depth + 1, offsets));
  const own = (value as { location?: unknown }).location;
  const offset = typeof own === "number" && own >= 0 ? own : least;
  if (offset < Infinity) offsets.set(value, offset);
  return offset;
}

export function isNode(value: SqlValue | undefined): value is SqlNode {
  return typeof value === "object" && !Array.isArray(value);
}

/** The node under `field`; refuses where there is none. */
export function childOf(node: SqlNode, field: string): SqlNode {
  const value = node.fields.get(field);
  return isNode(value) ? value : refuse(node.place, "this form is not part of the subset");
}

/** The nodes of the list under `field`, none where it is absent. */
export function childrenOf(node: SqlNode, field: string): SqlNode[] {
  const value = node.fields.get(field) ?? [];
  return Array.isArray(value)
    ? value.filter(isNode)
    : refuse(node.place, "this form is not part of the subset");
}

export function textOf(node: SqlNode, field: string): string {
  const value = node.fields.get(field);
  return typeof value === "string" ? value : refuse(node.place, "this form is not part of the subset");
}

/** Refuses a node with a field that the subset does not know: a new PostgreSQL may bring new ones. */
export function onlyFields(
  node: SqlNode,
  known: readonly string[],
  reasons: Record<string, string> = {},
): void {
  for (const field of node.fields.keys()) {
    if (!known.includes(field)) refuse(node.place, reasons[field] ?? "this form is not part of the subset");
  }
}

/** The parts of a dotted name, or null where one is not a plain name (`t.*`). */
export function namesOf(node: SqlNode, field: string): string[] | null {
  const parts = childrenOf(node, field);
  if (parts.some((part) => part.kind !== "String")) return null;
  return parts.map((part) => (part.fields.has("sval") ? textOf(part, "sval") : ""));
}
