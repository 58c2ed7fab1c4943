/** The columns of the answer, with those that HAVING and ORDER BY alone ask for, and what is done with its rows. */
import { canonicalJson } from "../../primitives/canonical-json.ts";
import { type Aggregate, type AggregateOptions, aggregateOf } from "./aggregate.ts";
import { candidatesMax } from "./candidates.ts";
import type { CompileContext } from "./context.ts";
import { keyPlace, keyScalar, type NamedKey } from "./grouping.ts";
import { type NamedTarget, outputsMax } from "./named-targets.ts";
import type { Select } from "./parse-sql.ts";
import { exactCellsMax, type GroupKey, groupCountOf, type Output, type Plan } from "./plan.ts";
import { compilePost, type OutputOf } from "./post.ts";
import type { Reading } from "./reading.ts";
import { outputsOf, type ReleaseList } from "./release-list.ts";
import { type Place, refuse, type SqlNode } from "./sql-node.ts";

/** A column of the answer before it has a place. */
type Wanted = { kind: "aggregate"; aggregate: Aggregate } | { kind: "key"; key: number };

export function answerOf(
  select: Select,
  named: NamedTarget[],
  keys: NamedKey[],
  reading: Reading,
  releases: ReleaseList,
  { algorithm }: CompileContext,
  isRowPerPerson: boolean,
): Pick<Plan, "outputs" | "post"> {
  const candidates = candidatesFor(keys.map(({ key }) => key));
  const wantedBy = (node: SqlNode, name: string | null): Wanted => {
    const options: AggregateOptions = {
      clamps: algorithm.clamp,
      step: name !== null && Object.hasOwn(algorithm.candidates, name) ? algorithm.candidates[name]! : null,
      candidatesMax: candidates,
      isRowPerPerson,
    };
    const aggregate = aggregateOf(node, reading, options);
    if (aggregate !== null) return { kind: "aggregate", aggregate };
    const key = keyPlace(keyScalar(node, reading), keys);
    return key >= 0
      ? { kind: "key", key }
      : refuse(node.place, "this is no aggregate and stands not in GROUP BY");
  };
  const outputs: Output[] = [];
  const places = new Map<string, number>();
  const add = (name: string, shown: boolean, wanted: Wanted): number => {
    const place = outputs.length;
    const text = textOf(wanted);
    if (!places.has(text)) places.set(text, place);
    if (wanted.kind === "key") outputs.push({ kind: "key", name, shown, key: wanted.key });
    else outputs.push(...outputsOf(name, shown, wanted.aggregate, releases));
    return place;
  };
  const targets = named.map(({ name, target }) => {
    const wanted = wantedBy(target.node, name);
    return { node: target.node, wanted, place: add(name, true, wanted) };
  });
  checkNames(outputs, select.place);
  // What SELECT shows with candidates of its own is meant where HAVING or ORDER BY says the same without a name.
  for (const { node, wanted, place } of targets) {
    if (wanted.kind === "key" || wanted.aggregate.kind !== "quantile") continue;
    const plain = textOf(wantedBy(node, null));
    if (!places.has(plain)) places.set(plain, place);
  }
  const names = outputs.map(({ name }) => name);
  const placeOfTarget = targets.map(({ wanted, place }) => (isHistogram(wanted) ? null : place));
  const post = (outputOf: OutputOf) => compilePost(select, reading, outputOf, names, placeOfTarget);
  const compared = (node: SqlNode): Wanted => {
    const wanted = wantedBy(node, null);
    return isHistogram(wanted) ? refuse(node.place, "a histogram is not compared") : wanted;
  };
  // Twice: what is not shown gets its place by what it is, and not by where it was written.
  const hidden = new Map<string, Wanted>();
  post((node) => {
    const wanted = compared(node);
    if (!places.has(textOf(wanted))) hidden.set(textOf(wanted), wanted);
    return { place: 0, ...kindOf(wanted) };
  });
  for (const text of [...hidden.keys()].sort()) add(hiddenName(names, outputs), false, hidden.get(text)!);
  if (outputs.length > 2 * outputsMax)
    refuse(select.place, `HAVING and ORDER BY name more than ${outputsMax} columns`);
  return {
    outputs,
    post: post((node) => {
      const wanted = compared(node);
      return { place: places.get(textOf(wanted))!, ...kindOf(wanted) };
    }),
  };
}

/** What HAVING may compare it with. */
function kindOf(wanted: Wanted): Pick<ReturnType<OutputOf>, "isKey" | "type"> {
  const isDate =
    wanted.kind === "aggregate" && wanted.aggregate.kind === "quantile" && wanted.aggregate.type === "date";
  return { isKey: wanted.kind === "key", type: isDate ? "date" : "number" };
}

/** One text for one column, however it is written. */
function textOf(wanted: Wanted): string {
  const plain = JSON.stringify(wanted, (_, value) => (typeof value === "bigint" ? `${value}` : value));
  return canonicalJson(JSON.parse(plain));
}

function isHistogram(wanted: Wanted): boolean {
  return wanted.kind === "aggregate" && wanted.aggregate.kind === "histogram";
}

function hiddenName(names: readonly string[], outputs: readonly Output[]): string {
  let number = outputs.length + 1;
  while (names.includes(`hidden_${number}`)) number += outputsMax;
  return `hidden_${number}`;
}

/** A histogram's columns may meet others. */
function checkNames(outputs: Output[], place: Place): void {
  const seen = new Set<string>();
  for (const { name } of outputs) {
    if (seen.has(name)) refuse(place, `two columns are called ${name}: write AS name`);
    seen.add(name);
  }
  if (outputs.length > outputsMax) refuse(place, `the answer has more than ${outputsMax} columns`);
}

/** So many that all groups together stay within what an engine may be asked to find. */
function candidatesFor(keys: GroupKey[]): number {
  const groups = groupCountOf({ keys });
  if (groups === null) return 100;
  return Math.max(20, Math.min(candidatesMax, Math.floor(exactCellsMax / 2 / groups)));
}
