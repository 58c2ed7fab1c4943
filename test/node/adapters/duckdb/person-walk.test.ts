import { DuckDBInstance } from "@duckdb/node-api";
import { expect } from "chai";
import fc from "fast-check";
import { OpenGroups } from "../../../../node/adapters/duckdb/answer-groups.ts";
import { PersonWalk } from "../../../../node/adapters/duckdb/person-walk.ts";
import {
  NumberTotals,
  PeopleTotals,
  RowTotals,
  scaledNumber,
  scaledWide,
  WideTotals,
} from "../../../../node/adapters/duckdb/walk-totals.ts";

describe("the walk through people", () => {
  async function walked(sql: string, groupsMax: number, most: number, seed = 1n): Promise<bigint[][]> {
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    try {
      const found = await connection.run(sql);
      const walk = new PersonWalk({
        ...{ seed, groupsMax, groupCount: 300, open: null, openGroupsMax: 0, keys: 1 },
        totals: [new RowTotals(most), new PeopleTotals(), new NumberTotals(2, most), new WideTotals(3, most)],
      });
      for (const chunk of await found.fetchAllChunks()) walk.take(chunk);
      return walk.answer().vectors;
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }
  const columns = (person: string, group: string, value: string) =>
    `CAST(${person} AS DOUBLE), CAST(${group} AS INTEGER), CAST(${value} AS DOUBLE), CAST(${value} AS HUGEINT)`;
  const total = (values: bigint[]) => values.reduce((a, b) => a + b, 0n);

  it("breaks off where rows do not come person by person, rather than let somebody count twice", async () => {
    const sql = `SELECT ${columns("p", "0", "1")} FROM (VALUES (1), (2), (1)) AS listed(p)`;
    let failure: unknown;
    await walked(sql, 1, 1).catch((error) => {
      failure = error;
    });
    expect(String(failure)).to.match(/person by person/);
  });

  it("takes people whose rows fill many chunks, and many people in one", async () => {
    for (const rowsOfPerson of [1, 4, 5_000, 20_000]) {
      const sql = `SELECT ${columns(`range // ${rowsOfPerson}`, "range % 250", "range")} FROM range(40000)`;
      const [rows, people, sums, wide] = await walked(sql, 1000, 1_000_000);
      expect(total(rows!)).to.equal(40_000n);
      expect(total(people!)).to.equal(BigInt(Math.min(rowsOfPerson, 250) * (40_000 / rowsOfPerson)));
      expect(total(sums!)).to.equal((40_000n * 39_999n) / 2n);
      expect(wide).to.deep.equal(sums);
    }
  });

  it("chooses as many groups as count, few or many, each as often as any other", async () => {
    for (const groupsMax of [1, 7, 249]) {
      const sql = `SELECT ${columns("range // 250", "range % 250", "1")} FROM range(250 * 400)`;
      const [, people] = await walked(sql, groupsMax, 1);
      expect(total(people!)).to.equal(BigInt(400 * groupsMax));
      const expected = (400 * groupsMax) / 250;
      const deviation = Math.sqrt(expected * (1 - groupsMax / 250));
      for (const count of people!.slice(0, 250))
        expect(Math.abs(Number(count) - expected)).to.be.below(6 * deviation + 1);
    }
  });

  it("chooses others under another secret", async () => {
    const sql = `SELECT ${columns("range // 5", "range % 5", "1")} FROM range(500)`;
    const secret = 0x0123_4567_89ab_cdefn;
    const chosen = await walked(sql, 2, 1, secret);
    for (const other of [secret ^ (1n << 20n), secret ^ (1n << 50n)])
      expect(await walked(sql, 2, 1, other)).to.not.deep.equal(chosen);
  });

  it("forgets open groups in which nobody counts, and takes of each person what it takes of them alone", async () => {
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    const open = async (where: string, groupsMax: number) => {
      const found = await connection.run(
        `SELECT CAST(p AS DOUBLE), CAST(k AS HUGEINT), CAST(v AS DOUBLE) FROM (SELECT range // 97 AS p,
          range * 7919 % 4001 + range % 3 AS k, range % 11 AS v FROM range(20000)) WHERE ${where}`,
      );
      const groups = new OpenGroups();
      const totals = [new RowTotals(1), new NumberTotals(2, 1)];
      const options = { seed: 5n, groupsMax, groupCount: null, open: groups, openGroupsMax: 1_000, keys: 1 };
      const walk = new PersonWalk({ ...options, totals });
      for (const chunk of await found.fetchAllChunks()) walk.take(chunk);
      const { groups: keys, vectors } = walk.answer();
      return {
        known: groups.values.length,
        totals: new Map(keys!.map(([key], at) => [key, vectors.map((vector) => vector[at]!)] as const)),
      };
    };
    for (const groupsMax of [1, 3]) {
      const all = await open("true", groupsMax);
      // Of some 4,000: those that count, and those of what is read at once.
      expect(all.known).to.be.below(206 * groupsMax + 2_048 + 97);
      const sum = new Map<bigint | undefined, bigint[]>();
      for (let person = 0; person * 97 < 20_000; person++)
        for (const [key, own] of (await open(`p = ${person}`, groupsMax)).totals)
          sum.set(
            key,
            own.map((amount, at) => amount + (sum.get(key)?.[at] ?? 0n)),
          );
      const inOrder = (totals: Map<bigint | undefined, bigint[]>) =>
        [...totals].sort(([a], [b]) => (a! < b! ? -1 : 1));
      expect(inOrder(all.totals)).to.deep.equal(inOrder(sum));
    }
    connection.closeSync();
    instance.closeSync();
  });

  it("adds up beyond 2^53 exactly", async () => {
    const large = 2n ** 52n - 1n;
    const sql = `SELECT ${columns("range", "0", `${large} - range % 2`)} FROM range(1000)`;
    const [, , sums, wide] = await walked(sql, 1, 1);
    expect(sums![0]).to.equal(1000n * large - 500n);
    expect(wide).to.deep.equal(sums);
  });

  it("scales numbers as it does whole numbers of any size", () =>
    fc.assert(
      fc.property(
        fc.maxSafeInteger().filter((value) => Math.abs(value) < 2 ** 52),
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        (value, rows, most) => {
          expect(BigInt(scaledNumber(value, rows, most))).to.equal(
            scaledWide(BigInt(value), BigInt(rows), BigInt(most)),
          );
        },
      ),
      { numRuns: 2000 },
    ));
});
