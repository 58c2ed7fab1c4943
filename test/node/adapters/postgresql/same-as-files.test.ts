import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import type { DatasetManifest } from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import { column, limits, manifestOf, planOf, rowCount } from "../../../ports/data-files.ts";
import { inOrder } from "../../../ports/plan-engine.ts";
import { type PostgresServer, startPostgres } from "../../../support/postgresql-server.ts";
import { duckDbUnderTest } from "../duckdb/under-test.ts";
import { postgresUnderTest, reader } from "./under-test.ts";

const digits = (least: number, most: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: least, maxLength: most, size: "max" });
/** As people and programs write decimals: long, tiny, huge, halves, with and without a sign. */
const decimals = fc
  .tuple(fc.constantFrom("", "-"), digits(1, 18), fc.option(digits(1, 18), { nil: undefined }))
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === undefined ? "" : `.${fraction}`}`);
const near = fc.tuple(fc.integer({ min: -11_000, max: 110_000 }), digits(0, 6)).map(([steps, more]) => {
  const text = String(Math.abs(steps)).padStart(3, "0");
  return `${steps < 0 ? "-" : ""}${text.slice(0, -2)}.${text.slice(-2)}${more}`;
});
const days = fc
  .date({ min: new Date("1900-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

describe("values in PostgreSQL and the same values in a file", () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  it("become the same numbers, and are reported alike", async () => {
    const columns: DatasetManifest["columns"] = {
      amount: { type: "decimal", scale: 2, bounds: [-100, 1000], nullable: true },
      fine: { type: "decimal", scale: 6, nullable: true },
      coarse: { type: "decimal", scale: 0, bounds: [-(2 ** 40), 2 ** 40], nullable: true },
      day: { type: "date", bounds: ["1950-01-01", "2050-12-31"], nullable: true },
      region: { type: "text", domain: ["north", "south"], nullable: true },
    };
    const row = fc.record({
      amount: fc.oneof(near, decimals),
      fine: decimals,
      coarse: fc.oneof(near, decimals),
      day: days,
      region: fc.constantFrom("north", "south", "South", " north", "", "x"),
    });
    const rows = fc
      .sample(row, { numRuns: 2000, seed: 5 })
      .map((values, at) => ({ person: `p${at}`, ...values }));
    const manifest = manifestOf({ columns, rowsPerPerson: 1 });
    const names = ["person", ...Object.keys(columns)];
    const [files, live] = [duckDbUnderTest(), await postgresUnderTest(server)];
    const file = join(files.inbox, "visits.csv");
    const lines = rows.map((values) => names.map((name) => values[name as keyof typeof values]).join(","));
    writeFileSync(file, `${names.join(",")}\n${lines.join("\n")}\n`);
    const imported = await files.store.importFile(file, manifest);
    await server.sql(
      `CREATE TABLE visits (person text PRIMARY KEY, amount numeric, fine numeric, coarse numeric, day date, region text); GRANT SELECT ON visits TO ${reader}`,
    );
    await server.sql("INSERT INTO visits SELECT * FROM json_populate_recordset(NULL::visits, $1)", [
      JSON.stringify(rows),
    ]);
    const connected = await live.postgres.importFile(live.url("visits"), manifest);
    const { rows: count, people, clamped, rounded, madeNull } = imported;
    expect(connected).to.deep.include({ rows: count, people, rounded, madeNull });
    // Of a column without bounds a file's import does not count what has more than 18 digits.
    const { fine, ...bounded } = connected.clamped;
    expect(bounded).to.deep.equal(clamped);
    expect(fine).to.be.greaterThan(0);
    expect(Object.keys(clamped)).to.include.members(["amount", "coarse", "day"]);
    for (const name of Object.keys(columns)) {
      const key = { kind: "open", expression: column(name), type: "number", scale: 0 } as const;
      const plan = planOf([rowCount], { keys: [key], rowsPerPerson: 1 });
      const [here, there] = await Promise.all([
        files.engine.execute("visits", plan, limits),
        live.engine.execute("visits", plan, limits),
      ]);
      expect(there.groups!.length, name).to.be.greaterThan(1);
      expect(inOrder(plan, there), name).to.deep.equal(inOrder(plan, here));
    }
    await files.dispose();
    await live.dispose();
  });
});
