/**
 * The canonical JSON of a part of a plan, made once for each part: expressions are told apart by their texts, and one that stands inside of many
 * others would else be written out for each of them.
 */
import { canonicalJson } from "../../primitives/canonical-json.ts";

type Part = object;

/** Parts are never changed once they are made. */
const known = new WeakMap<Part, string>();

/** The same text as `canonicalJson`, of objects and lists of what a plan is made of. */
export function partText(part: Part): string {
  const before = known.get(part);
  if (before !== undefined) return before;
  const text = Array.isArray(part)
    ? `[${part.map(valueText).join(",")}]`
    : `{${Object.entries(part)
        .filter(([, value]) => value !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${JSON.stringify(key)}:${valueText(value)}`)
        .join(",")}}`;
  known.set(part, text);
  return text;
}

function valueText(value: unknown): string {
  return typeof value === "object" && value !== null ? partText(value) : canonicalJson(value);
}
