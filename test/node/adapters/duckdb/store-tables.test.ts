import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect } from "chai";
import { storeTables } from "../../../../node/adapters/duckdb/store-tables.ts";
import { textCode } from "../../../../node/data-sharing/manifests/text-code.ts";
import { manifestOf, sameCode } from "../../../ports/data-files.ts";
import { expectCode } from "../../../support/errors.ts";

describe("storing staged tables", () => {
  it("refuses two texts with one code, which nobody could tell apart afterwards", async () => {
    const [one, other] = sameCode;
    const folder = mkdtempSync(join(tmpdir(), "itd-store-"));
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    try {
      await connection.run(
        `CREATE TABLE staged0 AS SELECT * FROM (VALUES (CAST(1 AS UHUGEINT), ${textCode(one)}, '${one}'), (CAST(2 AS UHUGEINT), ${textCode(other)}, '${other}'), (CAST(3 AS UHUGEINT), NULL, NULL)) AS listed(p, v0, t0)`,
      );
      const manifest = manifestOf({ columns: { town: { type: "text", domain: "open", nullable: true } } });
      const error = await expectCode(
        () => storeTables(connection, manifest, "00", join(folder, "data.duckdb")),
        "data_file_invalid",
      );
      expect(error.fields).to.deep.equal({ texts: `${one}, ${other}` });
    } finally {
      connection.closeSync();
      instance.closeSync();
      rmSync(folder, { recursive: true });
    }
  });
});
