import { readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { DatasetRecords } from "../../../../node/adapters/duckdb/dataset-records.ts";
import { hashFile, WholeFiles } from "../../../../node/adapters/duckdb/whole-files.ts";
import { manifestOf, row, writeRows } from "../../../ports/data-files.ts";
import { expectCode } from "../../../support/errors.ts";
import { type DuckDbUnderTest, duckDbUnderTest } from "./under-test.ts";

describe("the look at data files", () => {
  let data: DuckDbUnderTest;
  let path: string;
  let looks: number;
  let failure: Error | undefined;
  const hash = async (file: string) => {
    looks++;
    if (failure !== undefined) throw failure;
    return await hashFile(file);
  };
  const record = () => new DatasetRecords(data.folder).one("visits")!;

  beforeEach(async () => {
    data = duckDbUnderTest();
    await data.store.importFile(writeRows(data.inbox, [row("a")]), manifestOf());
    path = join(data.folder, readdirSync(data.folder).find((name) => name.endsWith(".duckdb"))!);
    [looks, failure] = [0, undefined];
  });
  afterEach(() => data.dispose());

  it("is taken again after a failure that says nothing of the file, and once it is whole no more", async () => {
    const files = new WholeFiles(hash);
    failure = Object.assign(new Error("too many open files"), { code: "EMFILE" });
    for (let question = 0; question < 2; question++) {
      const [one, other] = await Promise.allSettled([
        files.require(path, record()),
        files.require(path, record()),
      ]);
      expect([one, other]).to.deep.equal([
        { status: "rejected", reason: failure },
        { status: "rejected", reason: failure },
      ]);
    }
    expect(looks).to.equal(2);
    failure = undefined;
    for (let question = 0; question < 3; question++) await files.require(path, record());
    expect(looks).to.equal(3);
  });

  it("is not taken again of a damaged file, which would be read whole for each question", async () => {
    truncateSync(path, readFileSync(path).length - 1);
    const files = new WholeFiles(hash);
    for (let question = 0; question < 3; question++)
      await expectCode(() => files.require(path, record()), "dataset_damaged");
    expect(looks).to.equal(1);
  });
});
