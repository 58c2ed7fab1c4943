import { expect } from "chai";
import fc from "fast-check";
import { choosePurpose, readParameters } from "../../../node/cli/question.ts";
import type { DatasetOffer } from "../../../node/data-sharing/discover.ts";
import { expectCode } from "../../support/errors.ts";
import { algorithm, datasetManifest } from "../../support/repository-world.ts";
import { run } from "./support/recorded-terminal.ts";

const research = "dpv:ResearchAndDevelopment";
const policy = "dpv:PublicPolicyMaking";

function offer(purposes: string[]): DatasetOffer {
  return {
    dataset: `0x${"11".repeat(32)}`,
    repository: `0x${"22".repeat(20)}`,
    publisher: "Bank",
    peer: { endpoint: "https://bank.test", tlsFingerprint: `0x${"33".repeat(32)}` },
    manifest: datasetManifest({ purposes }),
  };
}

describe("the parameters of a question", () => {
  it("become whole numbers where the algorithm takes such", () => {
    expect(readParameters(["minimum_age=30"])(algorithm)).to.deep.equal({ minimum_age: 30 });
    expect(readParameters([])(algorithm)).to.deep.equal({});
  });

  it("keep what follows the first = as it is", () => {
    const takesText = { ...algorithm, parameters: { mode: { type: "text" as const, values: ["a=b", ""] } } };
    expect(readParameters(["mode=a=b"])(takesText)).to.deep.equal({ mode: "a=b" });
  });

  it("are refused as wrong usage where they are no name=value, or given twice", async () => {
    await expectCode(() => readParameters(["minimum_age"]), "usage");
    for (const text of ["=5", "__proto__=5", "Age=5", ""])
      await expectCode(() => readParameters([text]), "usage");
    await expectCode(() => readParameters(["a=1", "a=2"]), "usage");
  });

  it("are refused before anybody is asked where the algorithm does not take them", async () => {
    for (const text of [
      "minimum_age=5",
      "minimum_age=30.5",
      "minimum_age=1e2",
      "minimum_age=",
      "x=1",
      "constructor=1",
    ])
      await expectCode(() => readParameters([text])(algorithm), "parameter_invalid");
  });

  it("are never anything else than an accepted value or an error, whatever is typed", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const { minimum_age: age } = readParameters([`minimum_age=${text}`])(algorithm);
          expect(age).to.be.within(16, 70);
        } catch (error) {
          expect(error).to.have.property("code", "parameter_invalid");
        }
      }),
    );
  });
});

describe("the purpose of a question", () => {
  const both = { ...algorithm, purposes: [research, policy] };

  it("may be left out where exactly one is permitted by algorithm and all datasets", () => {
    expect(choosePurpose(undefined, both, [offer([research, policy]), offer([policy])])).to.equal(policy);
  });

  it("must be given where several are, and the error lists them", async () => {
    const error = await expectCode(
      () => choosePurpose(undefined, both, [offer([policy, research])]),
      "usage",
    );
    expect(error.message).to.contain(research).and.to.contain(policy);
  });

  it("must be given where none is permitted by all", async () => {
    await expectCode(
      () => choosePurpose(undefined, both, [offer([research]), offer([policy])]),
      "purpose_not_permitted",
    );
  });

  it("goes to the repositories as it is given, which refuse and log it", () => {
    expect(choosePurpose("dpv:Marketing", both, [offer([research])])).to.equal("dpv:Marketing");
  });

  it("is a term of the vocabulary", async () => {
    await expectCode(() => choosePurpose("research", both, [offer([research])]), "usage");
  });
});

describe("itd query, before it asks anybody", () => {
  const asked = ["query", "--dataset", "wages", "--algorithm", "x"];

  it("refuses multiparty computation, which comes later", async () => {
    const { exitCode, err } = await run([...asked, "--mode", "mpc"]);
    expect(exitCode).to.equal(2);
    expect(err).to.contain("comes with secure computation");
  });

  it("refuses modes, waits and parameters that are none", async () => {
    expect((await run([...asked, "--mode", "magic"])).exitCode).to.equal(2);
    for (const wait of ["-1", "x", "1.5", "99999"])
      expect((await run([...asked, `--wait=${wait}`])).exitCode).to.equal(2);
    expect((await run([...asked, "--param", "novalue"])).exitCode).to.equal(2);
    expect((await run(["query", "--dataset", "wages"])).exitCode).to.equal(2);
  });
});
