import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { writeWhole } from "../../../node/adapters/write-whole.ts";

describe("writing a file whole", () => {
  const root = mkdtempSync(join(tmpdir(), "itd-whole-"));
  after(() => rmSync(root, { recursive: true }));

  it("makes the folder, for the owner alone where that is asked for, and takes the place of what was there", async () => {
    const path = join(root, "new", "file");
    await writeWhole(path, "first", 0o700);
    expect(statSync(join(root, "new")).mode & 0o777).to.equal(0o700);
    chmodSync(path, 0o644);
    await writeWhole(path, "second");
    expect(readFileSync(path, "utf8")).to.equal("second");
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(join(root, "new"))).to.deep.equal(["file"]);
  });

  it("leaves all as it was where it cannot be written", async () => {
    const folder = join(root, "taken");
    mkdirSync(join(folder, "file"), { recursive: true });
    writeFileSync(join(folder, "file", "kept"), "");
    const error = await writeWhole(join(folder, "file"), "text").then(
      () => undefined,
      (reason: NodeJS.ErrnoException) => reason.code,
    );
    expect(error).to.be.a("string");
    expect(readdirSync(folder, { recursive: true })).to.have.members(["file", join("file", "kept")]);
  });
});
