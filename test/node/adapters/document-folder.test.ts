import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { DocumentFolder } from "../../../node/adapters/document-folder.ts";
import { expectCode } from "../../support/errors.ts";

describe("a folder of documents", () => {
  let parent: string;
  let folder: string;
  let documents: DocumentFolder;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "itd-documents-"));
    folder = join(parent, "consents");
    documents = new DocumentFolder(folder);
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  it("is empty before it is there, and made for its owner alone with the first document", async () => {
    expect(await documents.texts()).to.deep.equal([]);
    await documents.keep("2-b.json", "second");
    await documents.keep("1-a.json", "first");
    expect(await documents.texts()).to.deep.equal(["first", "second"]);
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    expect(statSync(join(folder, "1-a.json")).mode & 0o777).to.equal(0o600);
  });

  it("replaces and drops documents, and leaves nothing unfinished behind", async () => {
    await documents.keep("a.json", "one");
    await documents.keep("a.json", "two");
    expect(await documents.texts()).to.deep.equal(["two"]);
    await documents.drop("a.json");
    await documents.drop("a.json");
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("does not look at what else lies there", async () => {
    await documents.keep("a.json", "one");
    writeFileSync(join(folder, "notes.txt"), "mine");
    writeFileSync(join(folder, "b.json.0011.tmp"), "unfinished");
    expect(await documents.texts()).to.deep.equal(["one"]);
  });

  it("takes no name that leads elsewhere", async () => {
    for (const name of ["../a.json", "a/b.json", ".json", "a.txt", ""]) {
      let threw = false;
      await documents.keep(name, "x").catch(() => {
        threw = true;
      });
      expect(threw, name).to.equal(true);
    }
    expect(readdirSync(parent)).to.deep.equal([]);
  });

  it("says what is in the way", async () => {
    mkdirSync(join(folder, "a.json"), { recursive: true });
    await expectCode(() => documents.texts(), "file_unreadable");
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "a file");
    await expectCode(() => documents.keep("a.json", "x"), "file_unwritable");
  });
});
