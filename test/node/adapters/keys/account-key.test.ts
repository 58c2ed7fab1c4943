import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Wallet } from "ethers";
import { createAccountKey, openAccountKey } from "../../../../node/adapters/keys/account-key.ts";
import { isCanonicalSignature, signerOf } from "../../../../node/primitives/typed-data.ts";
import { codeOf } from "../../../ports/anchor-chain.ts";

const quick = { scryptN: 2 };

describe("an account's key in a file", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "account-key-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("comes back with its passphrase", async () => {
    const file = join(folder, "keys", "account.json");
    const created = await createAccountKey(file, "open sesame", quick);
    const opened = await openAccountKey(file, "open sesame");
    expect(opened.signer.address).to.equal(created.signer.address);
    expect(opened.signer.address).to.equal(opened.signer.address.toLowerCase());
    expect(opened.wallet.privateKey).to.equal(created.wallet.privateKey);
  });

  it("is a file that other wallets read, for its owner alone, without the key in clear", async () => {
    const file = join(folder, "keys", "account.json");
    const { wallet } = await createAccountKey(file, "open sesame", quick);
    const text = await readFile(file, "utf8");
    expect((await Wallet.fromEncryptedJson(text, "open sesame")).address).to.equal(wallet.address);
    expect(text).not.to.contain(wallet.privateKey.slice(2));
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect((await stat(join(folder, "keys"))).mode & 0o777).to.equal(0o700);
    expect(await readdir(join(folder, "keys"))).to.deep.equal(["account.json"]);
  });

  it("is as costly to guess as scrypt's standard makes it, unless told otherwise", async () => {
    const file = join(folder, "account.json");
    await createAccountKey(file, "open sesame");
    const { Crypto } = JSON.parse(await readFile(file, "utf8")) as { Crypto: { kdfparams: { n: number } } };
    expect(Crypto.kdfparams.n).to.equal(131_072);
  });

  it("says what is wrong", async () => {
    const file = join(folder, "account.json");
    expect(await codeOf(openAccountKey(file, "x"))).to.equal("key_not_found");
    await createAccountKey(file, "open sesame", quick);
    expect(await codeOf(openAccountKey(file, "open simsim"))).to.equal("key_wrong_passphrase");
    expect(await codeOf(openAccountKey(file, ""))).to.equal("key_wrong_passphrase");
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      await chmod(file, mode);
      expect(await codeOf(openAccountKey(file, "open sesame"))).to.equal("key_file_readable_by_others");
    }
    for (const text of ["", "{}", '{"version":3}', '{"version":3,"crypto":{}}']) {
      await writeFile(file, text);
      await chmod(file, 0o600);
      expect(await codeOf(openAccountKey(file, "open sesame")), text).to.equal("key_file_invalid");
    }
  });

  it("never overwrites a key, and leaves nothing half-written", async () => {
    const file = join(folder, "account.json");
    const { signer } = await createAccountKey(file, "open sesame", quick);
    expect(await codeOf(createAccountKey(file, "another", quick))).to.equal("key_exists");
    expect((await openAccountKey(file, "open sesame")).signer.address).to.equal(signer.address);
    expect(await readdir(folder)).to.deep.equal(["account.json"]);
  });

  it("signs typed data in the one canonical encoding", async () => {
    const { signer } = await createAccountKey(join(folder, "account.json"), "open sesame", quick);
    const domain = { name: "Test", version: "1", chainId: 1n, verifyingContract: `0x${"11".repeat(20)}` };
    for (let count = 0; count < 8; count++) {
      const struct = { domain, types: { Count: [{ name: "count", type: "uint64" }] }, message: { count } };
      const signature = await signer.sign(struct);
      expect(isCanonicalSignature(signature)).to.equal(true);
      expect(signerOf(struct, signature)).to.equal(signer.address);
    }
  });
});
