/** What every DirectoryStore does, whatever it is made of. */
import { expect } from "chai";
import type { DirectoryStore } from "../../node/data-sharing/ports.ts";
import { account, hash } from "./stores.ts";

export interface DirectoryUnderTest {
  directory: DirectoryStore;
  /** Closes and opens again what is on disk. */
  reopen(): void;
  dispose(): void;
}

export function testDirectoryStore(create: () => DirectoryUnderTest): void {
  let under: DirectoryUnderTest;

  beforeEach(() => {
    under = create();
  });
  afterEach(() => under.dispose());

  it("is empty at first", () => {
    expect(under.directory.descriptions()).to.deep.equal([]);
    expect(under.directory.manifest(hash("m"))).to.equal(undefined);
  });

  it("keeps each repository's newest description, by repository", () => {
    under.directory.saveDescription(account(2), "two");
    under.directory.saveDescription(account(1), "one");
    under.directory.saveDescription(account(2), "two, newer");
    under.reopen();
    expect(under.directory.descriptions()).to.deep.equal([
      { repository: account(1), description: "one" },
      { repository: account(2), description: "two, newer" },
    ]);
  });

  it("keeps manifests by content hash, byte for byte", () => {
    const text = 'name: "é"\r\n\u0000 # trailing  ';
    under.directory.saveManifest(hash(text), text);
    under.directory.saveManifest(hash(text), text);
    under.reopen();
    expect(under.directory.manifest(hash(text))).to.equal(text);
  });
}
