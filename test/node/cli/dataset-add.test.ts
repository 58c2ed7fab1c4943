import { expect } from "chai";
import type { Custody } from "../../../node/cli/context.ts";
import type { DatasetManifest } from "../../../node/data-sharing/manifests/dataset-manifest.ts";
import { manifestOf } from "../../ports/data-files.ts";
import { type Recorded, RecordedTerminal, run } from "./support/recorded-terminal.ts";

const proposalFile = "state/manifests/visits.yaml";

describe("itd dataset add, by a proposal", () => {
  let terminal: RecordedTerminal;
  let held: DatasetManifest[];
  let bounds: [number, number];
  const add = async (...more: string[]): Promise<Recorded> => {
    const custody = {
      name: "Bank",
      folder: "state",
      close: async () => undefined,
      propose: async () => ({
        manifest: manifestOf({ columns: { age: { type: "integer", bounds, nullable: false } } }),
        warnings: ["The bounds of age were read off the data."],
      }),
      datasets: {
        manifests: () => held,
        importFile: async (_file: string, manifest: DatasetManifest) => {
          held = [manifest];
          return {
            rows: 1,
            people: 1,
            rowsLeftOut: 0,
            clamped: {},
            rounded: {},
            madeNull: {},
            ignoredColumns: [],
          };
        },
      },
    } as unknown as Custody;
    terminal.stdout = "";
    terminal.stderr = "";
    return await run(["dataset", "add", ...more], { openCustody: async () => custody }, terminal);
  };
  const byName = ["--name", "visits", "--person", "person", "--as", "bank"];

  beforeEach(() => {
    terminal = new RecordedTerminal();
    held = [];
    bounds = [18, 90];
  });

  it("ends with a command that can be pasted, in the name of whoever it was run for", async () => {
    const proposed = await add("my visits.csv", ...byName, "--propose");
    expect(proposed.exitCode, proposed.err).to.equal(0);
    expect(proposed.out).to.include(
      `then: npx itd dataset add 'my visits.csv' --manifest ${proposalFile} --as bank\n`,
    );
    expect(held).to.deep.equal([]);
    const database = await add("postgres://u@h/d?table=a&bounded=a", ...byName);
    expect(database.exitCode, database.err).to.equal(0);
    expect(database.out)
      .to.include("add 'postgres://u@h/d?table=a&bounded=a' --manifest")
      .and.to.include("PGPASSWORD");
  });

  it("replaces no dataset: what was declared about it, consent too, would be gone", async () => {
    const own = manifestOf({ name: "visits", consent: "required" });
    held = [own];
    const { exitCode, err } = await add("visits.csv", ...byName);
    expect(exitCode).to.equal(1);
    expect(err).to.include("(dataset_exists)").and.to.include("--manifest");
    expect(held).to.deep.equal([own]);
    expect(terminal.files.size).to.equal(0);
  });

  it("ends consent by an explicit word only", async () => {
    held = [manifestOf({ name: "visits", consent: "required" })];
    const connect = async (consent?: "required" | "not-required") => {
      const manifest = manifestOf({ name: "visits", ...(consent && { consent }) });
      terminal.files.set("visits.yaml", JSON.stringify(manifest));
      return await add("visits.csv", "--manifest", "visits.yaml", "--as", "bank");
    };
    const silent = await connect();
    expect(silent.exitCode).to.equal(1);
    expect(silent.err).to.include("(dataset_exists)").and.to.include("consent: not-required");
    expect((await connect("required")).exitCode).to.equal(0);
    expect((await connect("not-required")).exitCode).to.equal(0);
  });

  it("does not write over a proposal that may have been corrected", async () => {
    expect((await add("visits.csv", ...byName, "--propose")).exitCode).to.equal(0);
    const first = terminal.files.get(proposalFile);
    bounds = [18, 91];
    for (const more of [["--propose"], []]) {
      const { exitCode, err } = await add("visits.csv", ...byName, ...more);
      expect(exitCode).to.equal(1);
      expect(err).to.include(proposalFile).and.to.include("(dataset_exists)");
    }
    expect(terminal.files.get(proposalFile)).to.equal(first);
    expect(held).to.deep.equal([]);
    bounds = [18, 90];
    expect((await add("visits.csv", ...byName)).exitCode).to.equal(0);
  });
});
