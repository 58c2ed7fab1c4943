/** The groups that an answer has, while the rows that make them up come in. */
import { dateToDays, daysToDate, formatDecimal } from "../../data-sharing/manifests/grid.ts";
import { cellsOf, type GroupKey, openGroupsMax, type Plan } from "../../data-sharing/plan/plan.ts";
import { TrustedDataError } from "../../errors.ts";

export function limitError(): TrustedDataError {
  return new TrustedDataError("engine_limit", "The plan reached a limit of the engine.");
}

/** Integers of an answer with an open key: most of them are zero, and all are kept in memory. */
const openCellsMax = 4_000_000;

/** Open texts by their code. */
export type Texts = ReadonlyMap<bigint, string>;

const [firstDay, lastDay] = [dateToDays("0000-01-01")!, dateToDays("9999-12-31")!];

/** Groups with an open key, numbered in the order in which they appear. */
export class OpenGroups {
  /** By group and key. */
  readonly values: bigint[][] = [];
  /** A map for each key, of the values to the map for the next key, the last one to the group's number. */
  readonly #root = new Map<bigint, Branch>();
  readonly #groupsMax: number;

  constructor({ vectors }: Pick<Plan, "vectors">) {
    const cells = vectors.reduce((sum, vector) => sum + cellsOf(vector), 0);
    this.#groupsMax = Math.min(openGroupsMax, Math.floor(openCellsMax / cells));
  }

  /** @throws TrustedDataError `engine_limit` where there are more than can be answered. */
  numberOf(keys: readonly bigint[]): number {
    let map = this.#root;
    for (let at = 0; ; at++) {
      const key = keys[at]!;
      const known = map.get(key);
      if (at === keys.length - 1) {
        if (known !== undefined) return known as number;
        if (this.values.length >= this.#groupsMax) throw limitError();
        map.set(key, this.values.length);
        return this.values.push([...keys]) - 1;
      }
      const next = (known as Map<bigint, Branch> | undefined) ?? new Map<bigint, Branch>();
      if (known === undefined) map.set(key, next);
      map = next;
    }
  }
}

type Branch = number | Map<bigint, Branch>;

/** What people call the groups, key by key. */
export function labelsOf(keys: readonly GroupKey[], values: readonly bigint[][], texts: Texts): string[][] {
  const declared = keys.map((key) =>
    key.kind === "open" ? null : new Map(key.values.map((value, at) => [BigInt(value), key.labels[at]!])),
  );
  return values.map((group) =>
    group.map((value, at) => declared[at]?.get(value) ?? openLabel(keys[at]!, value, texts)),
  );
}

/** The codes of texts that `labelsOf` needs. */
export function openTextCodes(keys: readonly GroupKey[], values: readonly bigint[][]): bigint[] {
  const places = keys.flatMap((key, at) => (key.kind === "open" && key.type === "text" ? [at] : []));
  return [...new Set(values.flatMap((group) => places.map((at) => group[at]!)))];
}

function openLabel(key: GroupKey, value: bigint, texts: Texts): string {
  if (key.kind === "declared" || key.type === "text") return texts.get(value) ?? String(value);
  if (key.type === "number") return formatDecimal(value, key.scale);
  return value >= firstDay && value <= lastDay ? daysToDate(value) : String(value);
}
