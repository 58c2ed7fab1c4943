import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { runLab } from "../../node/lab.ts";
import { manifestOf } from "../ports/data-files.ts";
import { expectCode } from "../support/errors.ts";

describe("a file of one's own for the lab", () => {
  const root = mkdtempSync(join(tmpdir(), "itd-own-"));
  after(() => rmSync(root, { recursive: true }));

  /** Refused with nothing said, started or removed. */
  async function refused(file: string, code: Parameters<typeof expectCode>[1]) {
    const state = join(root, "lab");
    mkdirSync(state, { recursive: true });
    writeFileSync(join(state, "kept"), "");
    const said: string[] = [];
    const output = {
      progress: (line: string) => void said.push(line),
      tell: (heading: string) => void said.push(heading),
      answer: (title: string) => void said.push(title),
      document: () => void said.push("a document"),
    };
    const options = { state, once: true, fresh: true, people: 1_000, data: file };
    const error = await expectCode(() => runLab(options, output), code);
    expect(said).to.deep.equal([]);
    expect(existsSync(join(state, "kept"))).to.equal(true);
    expect(existsSync(`${file}.yaml`) && code === "data_file_not_found").to.equal(false);
    return error.message;
  }

  it("is refused at once where it is not there, or no file", async () => {
    const missing = join(root, "missing.csv");
    expect(await refused(missing, "data_file_not_found")).to.equal(`There is no file at ${missing}.`);
    await refused(root, "data_file_not_found");
  });

  it("is refused at once where its manifest is wrong, or has the name of a dataset of the lab", async () => {
    const file = join(root, "own.csv");
    writeFileSync(file, "id,age\n1,5\n");
    writeFileSync(`${file}.yaml`, "name: own\n");
    await refused(file, "manifest_invalid");
    writeFileSync(`${file}.yaml`, stringify(manifestOf({ name: "trips" })));
    expect(await refused(file, "manifest_invalid")).to.contain("a dataset called trips already");
  });
});
