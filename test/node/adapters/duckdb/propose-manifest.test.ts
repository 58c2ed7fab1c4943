import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { proposeManifest } from "../../../../node/adapters/duckdb/propose-manifest.ts";
import { expectCode } from "../../../support/errors.ts";
import { duckDbUnderTest } from "./under-test.ts";

describe("proposing a manifest", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "itd-propose-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function file(text: string): string {
    const path = join(folder, "Clinic Visits 2020.csv");
    writeFileSync(path, text);
    return path;
  }

  const rows = [
    "ID,Age,Monthly Cost,Sex,Seen,Born,Note,Letter,Empty",
    ...Array.from(
      { length: 200 },
      (_, at) =>
        `p${at % 80},${18 + (at % 64)},${at * 6}.5${at % 10},${at % 2 ? "f" : "m"},true,19${20 + (at % 70)}-05-17,note ${at},${"x".repeat(101)},`,
    ),
    "p0,,-3.25,,,,,,",
  ].join("\n");

  it("reads types, and bounds rounded outwards to two digits", async () => {
    const { manifest } = await proposeManifest(file(rows), "ID");
    expect(manifest).to.deep.include({
      name: "clinic-visits-2020",
      table: "clinic_visits_2020",
      person: "ID",
      rowsPerPerson: 4,
    });
    expect(manifest.columns).to.deep.equal({
      age: { type: "integer", bounds: [18, 81], nullable: true },
      monthly_cost: { type: "decimal", scale: 2, bounds: [-3.3, 1200], nullable: false },
      sex: { type: "text", domain: ["f", "m"], nullable: true },
      seen: { type: "boolean", nullable: true },
      born: { type: "date", bounds: ["1920-01-01", "1989-12-31"], nullable: true },
      note: { type: "text", domain: "open", nullable: true },
    });
  });

  it("says what was read off the data and what is left out", async () => {
    const { warnings } = await proposeManifest(file(rows), "id");
    const all = warnings.join("\n");
    for (const part of [
      "bounds of age",
      "domain of sex",
      "note has more than 50 different texts",
      "Letter is left out: its texts are longer than 100 characters",
      "Empty is left out: it is empty",
      "rowsPerPerson (4)",
    ])
      expect(all).to.contain(part);
  });

  it("proposes what the store takes, without moving a value", async () => {
    const data = duckDbUnderTest();
    const path = file(rows);
    const { manifest } = await proposeManifest(path, "ID");
    const report = await data.store.importFile(path, manifest);
    expect(report).to.deep.include({
      rows: 201,
      people: 80,
      rowsLeftOut: 0,
      clamped: {},
      rounded: {},
      madeNull: {},
    });
    data.dispose();
  });

  it("refuses what cannot be read or declared", async () => {
    await expectCode(() => proposeManifest(join(folder, "none.csv"), "ID"), "data_file_not_found");
    await expectCode(() => proposeManifest(file(rows), "nobody"), "data_file_column_missing");
    await expectCode(() => proposeManifest(file("id,note\na,\n"), "id"), "data_file_invalid");
  });
});
