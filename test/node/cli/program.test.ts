import { expect } from "chai";
import { createProgram, withDescendants } from "../../../node/cli/program.ts";
import { algorithmManifestSchema } from "../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { compilePlan } from "../../../node/data-sharing/plan/compile-plan.ts";
import { loadSqlParser } from "../../../node/data-sharing/plan/parse-sql.ts";
import { presentAnswer } from "../../../node/data-sharing/release/present.ts";
import type { PresentedAnswer } from "../../../node/data-sharing/release/presented-answer.ts";
import { TrustedDataError } from "../../../node/errors.ts";
import { manifestOf } from "../../ports/data-files.ts";
import { answerOf } from "../data-sharing/release/plans.ts";
import { RecordedTerminal, run, testContext } from "./support/recorded-terminal.ts";

const program = createProgram(testContext(new RecordedTerminal()), { exitCode: 0 });
const commands = withDescendants(program).slice(1);
const leaves = commands.filter((command) => command.commands.length === 0);

/** As it is typed: `council show`. */
function pathOf(command: (typeof commands)[number]): string[] {
  const parent = command.parent;
  return parent === null || parent.parent === null ? [command.name()] : [...pathOf(parent), command.name()];
}

describe("the itd program", () => {
  it("has the commands that people depend on", () => {
    expect(leaves.map((command) => pathOf(command).join(" ")).sort()).to.deep.equal([
      "algorithm approve",
      "algorithm check",
      "algorithm publish",
      "algorithm revoke",
      "algorithm show",
      "algorithms",
      "audit check",
      "audit list",
      "audit show",
      "consent counts",
      "consent enrol",
      "consent grant",
      "consent list",
      "consent withdraw",
      "council approve",
      "council execute",
      "council propose",
      "council show",
      "council suspend",
      "dataset add",
      "dataset list",
      "datasets",
      "framework certify",
      "framework incident",
      "framework recognise",
      "framework show",
      "lab",
      "node",
      "query",
      "receipt verify",
    ]);
  });

  for (const command of leaves) {
    const path = pathOf(command);

    it(`explains itd ${path.join(" ")} with examples, on stdout, and exits with 0`, async () => {
      const { exitCode, out, err } = await run([...path, "--help"]);
      expect(exitCode).to.equal(0);
      expect(err).to.equal("");
      expect(out).to.contain(`Usage: itd ${path.join(" ")}`);
      expect(out).to.match(new RegExp(`\\$ itd ${path.join(" ")}`));
      for (const option of ["--json", "--state", "--as", "--client"]) expect(out).to.contain(option);
      expect(command.summary()).to.match(/^[a-z].*[^.]$/);
    });

    it(`refuses an option that itd ${path.join(" ")} does not have with 2, as JSON too`, async () => {
      const { exitCode, out, err } = await run([...path, "--json", "--no-such-option"]);
      expect(exitCode).to.equal(2);
      expect(err)
        .to.match(/^itd: /)
        .and.to.contain("(usage)")
        .and.to.contain("--help");
      const { error } = JSON.parse(out);
      expect(error).to.have.keys("code", "message", "fields");
      expect(error.code).to.equal("usage");
    });
  }

  for (const group of commands.filter((command) => command.commands.length > 0)) {
    it(`lists the verbs of itd ${group.name()} when none is given, and exits with 2`, async () => {
      const { exitCode, out, err } = await run([group.name()]);
      expect(exitCode).to.equal(2);
      expect(out).to.equal("");
      for (const verb of group.commands) expect(err).to.contain(`  ${verb.name()} `);
      expect((await run([group.name(), "--help"])).exitCode).to.equal(0);
    });
  }

  it("tells its version", async () => {
    expect(await run(["--version"])).to.deep.equal({ exitCode: 0, out: "1.2.3\n", err: "" });
  });

  it("says what is near to a command that does not exist", async () => {
    const { exitCode, out, err } = await run(["qeury"]);
    expect(exitCode).to.equal(2);
    expect(out).to.equal("");
    expect(err).to.equal(
      "itd: Unknown command 'qeury'. Did you mean query? (usage)\nAdd --help to see what the command takes.\n",
    );
  });

  it("gives an operating error as one sentence with its code, and exits with 1", async () => {
    const { exitCode, out, err } = await run(["datasets"]);
    expect(exitCode).to.equal(1);
    expect(out).to.equal("");
    expect(err).to.equal("itd: There is no Living Lab here. (client_not_found)\n");
  });

  it("gives it as a document too where --json is asked for", async () => {
    const { exitCode, out } = await run(["datasets", "--json"]);
    expect(exitCode).to.equal(1);
    expect(JSON.parse(out)).to.deep.equal({
      error: { code: "client_not_found", message: "There is no Living Lab here.", fields: {} },
    });
  });

  it("shows the reasons of a bad manifest line by line, and facts for programs only in the document", async () => {
    const openClient = (error: TrustedDataError) => ({ openClient: () => Promise.reject(error) });
    const manifest = new TrustedDataError("manifest_invalid", "The manifest is not usable.", {
      sql: "it is empty",
    });
    expect((await run(["datasets"], openClient(manifest))).err).to.contain("\n  sql: it is empty\n");
    const rejected = new TrustedDataError("chain_rejected", "Refused.", { contractError: "Nope" });
    expect((await run(["datasets"], openClient(rejected))).err).to.not.contain("Nope");
    expect((await run(["datasets", "--json"], openClient(rejected))).out).to.contain("Nope");
  });

  it("says in one sentence what nobody foresaw, without a stack", async () => {
    const openClient = () => Promise.reject(new TypeError("x is not a function\n    at secret place"));
    const { exitCode, out, err } = await run(["datasets", "--json"], { openClient });
    expect(exitCode).to.equal(1);
    expect(err.split("\n")).to.have.length(2);
    expect(err).to.contain("(internal)").and.not.to.contain("secret place");
    expect(JSON.parse(out).error.code).to.equal("internal");
  });

  it("hands the lab's options on, and refuses nonsense", async () => {
    const seen: unknown[] = [];
    const runLab = async (options: unknown) => void seen.push(options);
    expect(
      (await run(["lab", "--once", "--people", "2000", "--state", "here"], { runLab })).exitCode,
    ).to.equal(0);
    expect(seen).to.deep.equal([{ state: "here", once: true, fresh: false, people: 2000 }]);
    for (const people of ["12", "x", "-5", "1e9", "2000000"])
      expect((await run(["lab", "--people", people], { runLab })).exitCode).to.equal(2);
    expect(seen).to.have.length(1);
  });

  it("keeps stdout for the lab's document alone where --json is asked for", async () => {
    const runLab: Parameters<typeof testContext>[1] = {
      runLab: async (_options, output) => {
        output.progress("starting");
        output.tell("Heading", ["a line"]);
        output.document({ queries: [] });
      },
    };
    const json = await run(["lab", "--json"], runLab);
    expect(JSON.parse(json.out)).to.deep.equal({ queries: [] });
    expect(json.err).to.equal("starting ...\n");
    const text = await run(["lab"], runLab);
    expect(text.out).to.equal("\nHeading\na line\n");
  });

  it("says in the lab's tour what the marks of an answer mean, that of the margin once", async () => {
    const presented: PresentedAnswer = {
      columns: [{ name: "people", kind: "count", type: "number", scale: 0, spacing: null, rankMargin: null }],
      rows: [{ values: ["97"], margins: ["4"], suppressed: false, partial: true }],
    };
    const runLab: Parameters<typeof testContext>[1] = {
      runLab: async (_options, output) => {
        output.answer("First", presented, []);
        output.answer("Second", presented, []);
      },
    };
    const { out } = await run(["lab"], runLab);
    expect(out.split("95% of the time the noise alone")).to.have.length(2);
    expect(out.split("* : too few people at some of the repositories")).to.have.length(3);
  });

  it("shows the units in the lab's tour", async () => {
    await loadSqlParser();
    const manifest = manifestOf({
      columns: { age: { type: "integer", bounds: [0, 120], unit: "years", nullable: false } },
    });
    const algorithm = algorithmManifestSchema.parse({
      ...{ name: "ages", title: "Ages", description: "Ages.", version: 1, kind: "sql" },
      ...{ dataClass: manifest.dataClass, table: manifest.table, purposes: manifest.purposes },
      sql: "SELECT COUNT(*) AS people, AVG(age) AS age FROM visits",
      microRho: "1000",
    });
    const plan = compilePlan(algorithm, {}, manifest);
    const presented = presentAnswer(
      plan,
      answerOf(
        plan,
        plan.releases.map(() => ["500"]),
      ),
    );
    const { out } = await run(["lab"], {
      runLab: async (_options, output) => output.answer("Ages", presented, [{ plan, manifest }]),
    });
    expect(out).to.match(/people .*age \(years\)/);
  });

  it("runs a node with a file, or from the environment alone", async () => {
    const seen: unknown[] = [];
    const runNode = async (file: string | undefined) => void seen.push(file);
    await run(["node", "--config", "node.yaml"], { runNode });
    await run(["node"], { runNode });
    expect(seen).to.deep.equal(["node.yaml", undefined]);
  });
});
