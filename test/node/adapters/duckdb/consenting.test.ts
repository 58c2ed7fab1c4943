import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { openPersonSecret } from "../../../../node/adapters/keys/person-secret.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import { personHash } from "../../../../node/data-sharing/consent/person-hash.ts";
import { testConsentingEngine } from "../../../ports/consenting-engine.ts";
import { limits, manifestOf, planOf, row, rowCount, writeRows } from "../../../ports/data-files.ts";
import { expectCode } from "../../../support/errors.ts";
import { duckDbUnderTest } from "./under-test.ts";

describe("the DuckDB engine, where consent is needed,", () => {
  testConsentingEngine(() => {
    const data = duckDbUnderTest();
    const hashOf = async () => {
      const secret = await openPersonSecret(data.folder, new SystemRandomness());
      return (person: string) => personHash(secret, "visits", person);
    };
    return { ...data, hashOf };
  });

  it("keeps no name in any file, and no data that it does not need", async () => {
    const data = duckDbUnderTest();
    const name = "a name that nobody else has";
    await data.store.importFile(
      writeRows(data.inbox, [row(name), row("b")]),
      manifestOf({ consent: "required" }),
    );
    const bits = {
      purpose: "dpv:Marketing",
      hashes: () => new Uint8Array(16),
      takingPart: () => new Uint8Array(1),
    };
    await data.engine.execute("visits", planOf([rowCount]), limits, bits);
    for (const file of readdirSync(data.folder, { recursive: true, encoding: "utf8" }).filter((one) =>
      /\./.test(one),
    ))
      expect(readFileSync(join(data.folder, file)).includes(name), file).to.equal(false);
    await data.dispose();
  });

  it("does not offer a dataset of which somebody edited whether it needs consent", async () => {
    const data = duckDbUnderTest();
    for (const [was, edited] of [
      ["required", "not-required"],
      ["not-required", "required"],
    ] as const) {
      await data.store.importFile(writeRows(data.inbox, [row("a")]), manifestOf({ consent: was }));
      expect(data.store.manifests().length).to.equal(1);
      const record = join(data.folder, "visits.json");
      writeFileSync(
        record,
        readFileSync(record, "utf8").replace(`"consent": "${was}"`, `"consent": "${edited}"`),
      );
      expect(data.store.manifests()).to.deep.equal([]);
      await expectCode(() => data.engine.execute("visits", planOf([rowCount]), limits), "engine_failed");
    }
    await data.dispose();
  });
});
