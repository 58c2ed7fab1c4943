import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openCustody } from "../../../node/custody.ts";
import { manifestOf, row, writeRows } from "../../ports/data-files.ts";
import { run } from "./support/recorded-terminal.ts";

describe("itd dataset list", () => {
  const root = mkdtempSync(join(tmpdir(), "itd-list-"));
  const config = join(root, "node.yaml");
  before(() => {
    const own = "{ keyFile: none, passphraseFile: none }";
    writeFileSync(
      config,
      `roles: [repository]\nname: Clinic\nstateFolder: state\naccount: ${own}\ntls: { certificateFile: none, keyFile: none }\nchain: { urls: [http://127.0.0.1:1], deploymentFile: none }\n`,
    );
  });
  after(() => rmSync(root, { recursive: true }));
  const list = (...more: string[]) => run(["dataset", "list", "--config", config, ...more], { openCustody });

  it("shows what the node holds, with what is damaged apart and as soon as it is", async () => {
    expect((await list()).out).to.equal("Clinic holds no dataset.\n");
    const custody = await openCustody({ config });
    const file = writeRows(root, [row("a")]);
    const budget = { totalMicroRho: "3000000", perQuerierMicroRho: "1500000", reservedMicroRho: "1" };
    await custody.datasets.importFile(file, manifestOf({ consent: "required", budget }));
    await custody.datasets.importFile(file, manifestOf({ name: "others" }));
    await custody.close();
    const { out } = await list();
    expect(out).to.match(/visits.*file.*health.*required.*3 \/ 1\.5/);
    expect(out).to.match(/others/);

    const record = join(root, "state", "datasets", "others.json");
    const whole = readFileSync(record, "utf8");
    writeFileSync(record, whole.replace('"table": "visits"', '"table": "others"'));
    const { exitCode, out: json } = await list("--json");
    const { datasets, damaged } = JSON.parse(json);
    expect(exitCode).to.equal(0);
    expect(datasets.map(({ name }: { name: string }) => name)).to.deep.equal(["visits"]);
    expect(damaged[0]).to.include({ dataset: "others" });
    expect((await list()).err).to.include("Not offered: The manifest of others was edited");

    unlinkSync(record);
    expect(JSON.parse((await list("--json")).out).damaged).to.deep.equal([]);
  });

  it("wants to know whose node it is", async () => {
    const { exitCode, err } = await run(["dataset", "list"], { openCustody });
    expect(exitCode).to.equal(2);
    expect(err).to.include("--as ORGANISATION");
  });
});
