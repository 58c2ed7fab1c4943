/** What must hold of a state file at any time, read from its rows and not through the stores. */
import { expect } from "chai";
import type { StateDatabase } from "../../../../node/adapters/sqlite/state-database.ts";

export function expectWhole(database: StateDatabase): void {
  const count = (what: string) => database.bigint(`SELECT count(*) AS value FROM ${what}`);
  expect(database.all("PRAGMA integrity_check(1)").map((row) => row.integrity_check)).to.deep.equal(["ok"]);
  expect(database.all("PRAGMA foreign_key_check")).to.deep.equal([]);
  expect(count("entries"), "an entry for each reply and each refusal").to.equal(
    count("(SELECT entry FROM replies UNION SELECT entry FROM refusals)"),
  );
  for (const [sums, rows] of [
    ["dataset_sums", "charges"],
    ["querier_sums", "charges WHERE question IS NOT NULL"],
  ] as const) {
    const sum = (table: string) =>
      database.bigint(`SELECT coalesce(sum(micro_rho), 0) AS value FROM ${table}`);
    expect(sum(sums), `${sums} add up`).to.equal(sum(rows));
  }
}
