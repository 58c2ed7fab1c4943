/** The groups that an answer has, while the rows that make them up come in. */
import { dateToDays, daysToDate, formatDecimal } from "../../data-sharing/manifests/grid.ts";
import type { GroupKey } from "../../data-sharing/plan/plan.ts";

/** Open texts by their code. */
export type Texts = ReadonlyMap<bigint, string>;

const [firstDay, lastDay] = [dateToDays("0000-01-01")!, dateToDays("9999-12-31")!];

/** Groups with an open key, numbered in the order in which they appear; numbers of forgotten ones are given again. */
export class OpenGroups {
  /** By group and key. */
  readonly values: bigint[][] = [];
  readonly #free: number[] = [];
  /** A map for each key, of the values to the map for the next key, the last one to the group's number. */
  readonly #root = new Map<bigint, Branch>();

  numberOf(keys: readonly bigint[]): number {
    let map = this.#root;
    for (let at = 0; ; at++) {
      const key = keys[at]!;
      const known = map.get(key);
      if (at === keys.length - 1) {
        if (known !== undefined) return known as number;
        const number = this.#free.pop() ?? this.values.length;
        map.set(key, number);
        this.values[number] = [...keys];
        return number;
      }
      const next = (known as Map<bigint, Branch> | undefined) ?? new Map<bigint, Branch>();
      if (known === undefined) map.set(key, next);
      map = next;
    }
  }

  forget(number: number): void {
    const keys = this.values[number]!;
    let map = this.#root;
    for (const key of keys.slice(0, -1)) map = map.get(key) as Map<bigint, Branch>;
    map.delete(keys.at(-1)!);
    this.values[number] = [];
    this.#free.push(number);
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
