import { expect } from "chai";
import {
  type Catalogue,
  catalogueHash,
  catalogueOf,
  catalogueStruct,
  type SignedCatalogue,
} from "../../../node/data-sharing/catalogue.ts";
import { Directory } from "../../../node/data-sharing/directory.ts";
import type { DirectoryEntry, DirectoryStore } from "../../../node/data-sharing/ports.ts";
import { canonicalJson } from "../../../node/primitives/canonical-json.ts";
import type { Hex } from "../../../node/primitives/hex.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { datasetManifest } from "../../support/repository-world.ts";
import { testDeployment, WalletSigner } from "../../support/wallet-signer.ts";

describe("a directory", () => {
  const signer = new WalletSigner();
  const clock = new ManualClock();
  const catalogue = (title: string) => catalogueOf(signer.address, "Bank", [datasetManifest({ title })]);
  const sign = async (of: Catalogue): Promise<SignedCatalogue> => {
    return { catalogue: of, signature: await signer.sign(catalogueStruct(testDeployment, of)) };
  };

  function open() {
    const stored = new Map<Hex, string>();
    const onChain = { hash: "0x", certified: true };
    const entry = () =>
      ({
        member: signer.address,
        metadataHash: onChain.hash,
        certified: onChain.certified,
      }) as DirectoryEntry;
    const store: Partial<DirectoryStore> = {
      saveDescription: (repository, description) => void stored.set(repository, description),
      descriptions: () => [...stored].map(([repository, description]) => ({ repository, description })),
    };
    const directory = new Directory({
      deployment: testDeployment,
      clock,
      directory: { entries: async () => [entry()], entry: async () => entry() },
      algorithms: {} as never,
      store: store as DirectoryStore,
    });
    const accept = async (title: string) => {
      onChain.hash = catalogueHash(catalogue(title));
      await directory.acceptCatalogue(await sign(catalogue(title)));
      clock.advance(2_000);
    };
    const titles = async (text = "") =>
      (await directory.search(text)).flatMap((found) =>
        found.catalogue["dcat:dataset"].map((dataset) => dataset["dct:title"]),
      );
    return { directory, accept, titles, onChain, stored };
  }

  it("reads a stored catalogue once for all searches", async () => {
    const { accept, directory } = open();
    await accept("Wages");
    const [first] = await directory.search("wages");
    expect((await directory.search(""))[0]).to.equal(first);
    expect(await directory.search("nothing like it")).to.deep.equal([]);
    expect((await directory.search("wages"))[0]).to.equal(first);
  });

  it("gives the newest catalogue, and none that the chain no longer vouches for", async () => {
    const { accept, titles, onChain, stored } = open();
    await accept("Wages");
    expect(await titles()).to.deep.equal(["Wages"]);
    await accept("Newer");
    expect(await titles()).to.deep.equal(["Newer"]);
    onChain.hash = catalogueHash(catalogue("Newest"));
    clock.advance(2_000);
    expect(await titles()).to.deep.equal([]);
    await accept("Newer");
    onChain.certified = false;
    clock.advance(2_000);
    expect(await titles()).to.deep.equal([]);
    onChain.certified = true;
    clock.advance(2_000);
    expect(await titles("newer")).to.deep.equal(["Newer"]);
    stored.set(signer.address, canonicalJson(await sign(catalogue("Put in place"))));
    expect(await titles()).to.deep.equal([]);
  });
});
