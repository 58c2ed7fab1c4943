import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import {
  findClientFile,
  organisationFile,
  organisationsBeside,
  readClientConfig,
  readDeploymentFile,
} from "../../node/client-config.ts";
import { expectCode } from "../support/errors.ts";
import { testDeployment } from "../support/wallet-signer.ts";

const account = `0x${"ab".repeat(20)}`;
const config = {
  name: "University",
  chain: { urls: ["http://127.0.0.1:8545"] },
  deployment: "deployment.json",
  account: { file: "account.json", passphraseFile: "passphrase" },
  receipts: "receipts",
};

describe("the client configuration", () => {
  let folder: string;
  let lab: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "itd-client-"));
    lab = join(folder, "lab");
    mkdirSync(join(lab, "organisations", "bank"), { recursive: true });
    writeFileSync(join(lab, "client.yaml"), stringify(config));
    writeFileSync(
      join(lab, "organisations", "bank", "client.yaml"),
      stringify({ ...config, deployment: "../../deployment.json" }),
    );
    writeFileSync(join(lab, "deployment.json"), JSON.stringify(testDeployment));
    writeFileSync(
      join(lab, "lab.json"),
      JSON.stringify({ version: "itd-lab/1", organisations: [{ id: "bank", title: "Bank", account }] }),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is the lab's, or that of one of its organisations", () => {
    expect(findClientFile({ state: lab }, {})).to.equal(join(lab, "client.yaml"));
    const bank = findClientFile({ state: lab, as: "bank" }, {});
    expect(bank).to.equal(join(lab, "organisations", "bank", "client.yaml"));
    expect(readDeploymentFile(readClientConfig(bank).deployment)).to.deep.equal(testDeployment);
    expect(findClientFile({}, { ITD_STATE: lab })).to.equal(join(lab, "client.yaml"));
  });

  it("is the file that is named, before the environment's and the lab's", () => {
    const own = join(folder, "own.yaml");
    writeFileSync(own, "");
    expect(findClientFile({ client: own, state: lab }, { ITD_CLIENT: "x" })).to.equal(own);
    expect(findClientFile({}, { ITD_CLIENT: own, ITD_STATE: lab })).to.equal(own);
    expect(findClientFile({ as: "bank" }, { ITD_CLIENT: own, ITD_STATE: lab })).to.contain("organisations");
  });

  it("is said to be missing together with how to start a lab", async () => {
    const error = await expectCode(
      () => findClientFile({ state: join(folder, "none") }, {}),
      "client_not_found",
    );
    expect(error.message).to.contain("itd lab");
    await expectCode(() => findClientFile({ client: join(folder, "none.yaml") }, {}), "client_not_found");
    const nobody = await expectCode(
      () => findClientFile({ state: lab, as: "nobody" }, {}),
      "client_not_found",
    );
    expect(nobody.message).to.contain("it has bank");
    for (const id of ["..", "../..", ".", "", "bank/../bank"])
      await expectCode(() => organisationFile(lab, id, "client.yaml"), "client_not_found");
  });

  it("has paths relative to itself, and a safe depth of finality unless told otherwise", () => {
    const read = readClientConfig(join(lab, "client.yaml"));
    expect(read.receipts).to.equal(join(lab, "receipts"));
    expect(read.account.passphraseFile).to.equal(join(lab, "passphrase"));
    expect(read.chain.finalityDepth).to.equal(12);
  });

  it("is refused with the reason under each field that is wrong", async () => {
    const wrong: [object, string][] = [
      [{ ...config, chain: { urls: ["ftp://x"] } }, "chain.urls.0"],
      [{ ...config, chain: { urls: [] } }, "chain.urls"],
      [{ ...config, name: "" }, "name"],
      [{ ...config, passphrase: "secret" }, ""],
    ];
    for (const [content, field] of wrong) {
      const file = join(folder, "wrong.yaml");
      writeFileSync(file, stringify(content));
      const error = await expectCode(() => readClientConfig(file), "config_invalid");
      if (field !== "") expect(error.fields).to.have.property(field);
    }
    await expectCode(() => readClientConfig(folder), "config_invalid");
    writeFileSync(join(lab, "deployment.json"), "{}");
    await expectCode(() => readDeploymentFile(join(lab, "deployment.json")), "config_invalid");
  });

  it("knows the names of the lab's organisations, and none outside of a lab", () => {
    const expected = [{ id: "bank", title: "Bank", account }];
    expect(organisationsBeside(join(lab, "client.yaml"))).to.deep.equal(expected);
    expect(organisationsBeside(join(lab, "organisations", "bank", "client.yaml"))).to.deep.equal(expected);
    expect(organisationsBeside(join(folder, "own.yaml"))).to.deep.equal([]);
  });
});
