import { expect } from "chai";
import fc from "fast-check";
import type { Custody } from "../../../node/cli/context.ts";
import { readEnrolments } from "../../../node/cli/enrolment-list.ts";
import type { EnrolmentCheck } from "../../../node/data-sharing/consent/ports.ts";
import { TrustedDataError } from "../../../node/errors.ts";
import { manifestOf } from "../../ports/data-files.ts";
import { ConsentWorld, type Person } from "../../support/consent-world.ts";
import { research } from "../../support/repository-world.ts";
import { testDeployment } from "../../support/wallet-signer.ts";
import { partialClient, run } from "./support/recorded-terminal.ts";

const key = `0x${"ab".repeat(20)}`;

describe("a custodian's list of people", () => {
  const read = (text: string) => [...readEnrolments(text)];

  it("gives each person's text as it is written, in quotes or not", () => {
    const text = `\ufeffname,key,person\r\n,${key},4711\n"x, y",${key.toUpperCase().replace("0X", "0x")},"it's ""him"",\n twice"\n\n`;
    expect(read(text)).to.deep.equal([
      { person: "4711", key },
      { person: `it's "him",\n twice`, key },
    ]);
  });

  it("comes back from any people", () =>
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, unit: "grapheme" }), { maxLength: 20 }), (people) => {
        const quoted = people.map((person) => `"${person.replaceAll('"', '""')}",${key}`);
        expect(read(["person,key", ...quoted].join("\n")).map(({ person }) => person)).to.deep.equal(people);
      }),
    ));

  it("is refused with the line, and without what stands there", () => {
    const wrong: [string, string][] = [
      ["", "1"],
      ["person;key\na;b", "1"],
      [`person,key\na,${key}\nsecret,0x12`, "3"],
      [`person,key\n,${key}`, "2"],
      [`person,key\nsecret,${key},more`, "2"],
      [`person,key\nsecret`, "2"],
      [`person,key\n"secret,${key}`, "2"],
      [`person,key\nse"cret,${key}`, "2"],
      [`person,key\n"a\nb",${key}\n"secret" x,${key}`, "4"],
    ];
    for (const [text, line] of wrong) {
      try {
        read(text);
        expect.fail(`was taken: ${text}`);
      } catch (error) {
        if (!(error instanceof TrustedDataError)) throw error;
        expect([error.code, error.fields.line], text).to.deep.equal(["enrolment_invalid", line]);
        expect(error.message).to.not.include("secret");
      }
    }
  });
});

describe("itd consent", () => {
  it("says what is wrong with a purpose or a day, and which purpose is near", async () => {
    const openClient = async () =>
      partialClient({ clock: { nowMs: () => Date.UTC(2030, 0, 1), sleep: async () => {} } });
    const grant = ["consent", "grant", "--dataset", "wages", "--purpose"];
    const near = await run([...grant, "dpv:AcademicReserch"], { openClient });
    expect(near.exitCode).to.equal(2);
    expect(near.err).to.include("the nearest is dpv:AcademicResearch");
    for (const until of ["2029-12-31", "tomorrow", "2030-02-30", "2030-1-1", "9999-01-01"]) {
      const { exitCode, err } = await run([...grant, research, "--until", until], { openClient });
      expect(exitCode, until).to.equal(2);
      expect(err).to.include("--until");
    }
  });

  it("enrols at a node that is named, by one person or a list, not by half of either", async () => {
    const enrol = ["consent", "enrol", "--dataset", "wages"];
    for (const more of [
      [],
      ["--person", "1"],
      ["--key", key],
      ["--person", "1", "--key", key, "--file", "x"],
    ])
      expect((await run([...enrol, ...more, "--as", "bank"])).exitCode, more.join(" ")).to.equal(2);
    expect((await run([...enrol, "--person", "1", "--key", key])).err).to.include("--as ORGANISATION");
    expect((await run(["consent", "counts"])).err).to.include("--as ORGANISATION");
  });

  describe("for a custodian", () => {
    const enrol = async (countPeopleMissing: EnrolmentCheck["countPeopleMissing"], ...more: string[]) => {
      const custody = {
        name: "Bank",
        close: async () => undefined,
        readText: async () => `person,key\nann,${key}\nbob,0x${"cd".repeat(20)}\n`,
        personHash: async () => () => new Uint8Array(16),
        enrolments: {
          enrol: (_: string, people: Iterable<unknown>) => ({
            enrolled: [...people].length,
            rebound: 0,
            unchanged: 0,
          }),
          enrolledCount: () => 2,
        },
        datasets: {
          manifests: () => [manifestOf({ name: "wages", consent: "required" })],
          countPeopleMissing,
        },
      } as unknown as Custody;
      const argv = ["consent", "enrol", "--dataset", "wages", "--as", "bank", ...more];
      return await run(argv, { openCustody: async () => custody });
    };

    it("says how many of those named are not in the data, in one form whoever they are", async () => {
      for (const count of [0, 1, 2]) {
        const asked: string[][] = [];
        const missing = async (_: string, people: ReadonlySet<string>) => {
          asked.push([...people]);
          return count;
        };
        const { out } = await enrol(missing, "--file", "people.csv");
        expect(asked).to.deep.equal([["ann", "bob"]]);
        expect(out).to.include(`\n${count} of the 2 named are not in the data: `);
        expect(out).to.not.match(/ann|bob/);
        const document = JSON.parse((await enrol(missing, "--file", "x", "--json")).out);
        expect(document).to.include({ enrolled: 2, total: 2, notInData: count });
      }
      const { out } = await enrol(async () => 1, "--person", "ann", "--key", key);
      expect(out).to.include("1 of the 1 named are not in the data");
    });

    it("enrols although the data cannot be looked at, and says so", async () => {
      const unreachable = async () => {
        throw new TrustedDataError("database_unreachable", "The database cannot be read.", {});
      };
      const { exitCode, out } = await enrol(unreachable, "--file", "people.csv");
      expect(exitCode).to.equal(0);
      expect(out).to.include("could not be seen: The database cannot be read.");
      expect(JSON.parse((await enrol(unreachable, "--file", "x", "--json")).out).notInData).to.equal(null);
    });
  });

  describe("for a person", () => {
    let world: ConsentWorld;
    let ann: Person;
    before(async () => {
      world = await ConsentWorld.ready();
      ann = world.enrolled("1");
    });
    after(() => world.dispose());

    /** The real command over the world's repository. */
    async function itd(...argv: string[]) {
      const { repository } = world;
      const { offer, clock, randomness, chain } = repository;
      const entry = {
        ...offer.peer,
        member: offer.repository,
        role: "repository" as const,
        metadataHash: "",
        certified: true,
      };
      const { catalogueHash, catalogueOf, catalogueStruct } = await import(
        "../../../node/data-sharing/catalogue.ts"
      );
      const catalogue = catalogueOf(offer.repository, offer.publisher, [offer.manifest]);
      const signature = await repository.repositorySigner.sign(catalogueStruct(testDeployment, catalogue));
      const client = partialClient({
        deployment: testDeployment,
        ...{ clock, randomness, chain },
        signer: async () => ann.signer,
        consents: ann.archive,
        peers: { ...repository.peers(), search: async () => [{ catalogue, signature }] },
        directory: {
          entries: async (role) => [{ ...entry, role, metadataHash: catalogueHash(catalogue) }],
          entry: async () => entry,
        },
        framework: { member: async () => undefined } as unknown as never,
      });
      clock.advance(1);
      return await run(["consent", ...argv], { openClient: async () => client });
    }

    it("gives, lists, withdraws, and says what counts", async () => {
      const granted = await itd(
        "grant",
        "--dataset",
        "wages",
        "--purpose",
        research,
        "--until",
        "2031-12-31",
      );
      expect(granted.err + granted.out)
        .to.include("Bank may answer over your row of wages")
        .and.to.include("through 2031-12-31 (UTC).");
      const first = JSON.parse((await itd("list", "--json")).out).consents;
      expect(first).to.have.length(1);
      expect(first[0]).to.deep.include({
        ...{ dataset: "wages", publisher: "Bank", state: "given", purposes: [research], inForce: [research] },
        ...{ expires: "2032-01-01T00:00:00.000Z", acknowledged: true, anchored: false, batch: null },
      });
      expect((await itd("list")).out)
        .to.match(/pending/)
        .and.to.include(research)
        .and.to.not.include("2032");
      await world.repository.anchoring.tick();
      expect((await itd("list")).out).to.match(/anchored/);
      const withdrawn = await itd("withdraw", "--dataset", "wages", "--purpose", "dpv:AcademicResearch");
      expect(withdrawn.exitCode, withdrawn.err).to.equal(0);
      const listed = JSON.parse((await itd("list", "--json")).out).consents;
      expect(
        listed.map(({ state, inForce }: { state: string; inForce: string[] }) => [state, inForce]),
      ).to.deep.equal([
        ["given", []],
        ["withdrawn", []],
      ]);
      expect(await world.ask()).to.deep.equal([]);
    });

    it("refuses a dataset that is not there, or does not ask for consent", async () => {
      const nothing = await itd("grant", "--dataset", "trips", "--purpose", research);
      expect([nothing.exitCode, nothing.err]).to.satisfy(
        ([code, err]: [number, string]) => code === 1 && err.includes("no_dataset_found"),
      );
      world.repository.manifest = { ...world.repository.manifest, consent: "not-required" };
      const open = await itd("grant", "--dataset", "wages", "--purpose", research);
      expect(open.err).to.include("consent_not_needed");
      world.repository.manifest = { ...world.repository.manifest, consent: "required" };
    });
  });
});
