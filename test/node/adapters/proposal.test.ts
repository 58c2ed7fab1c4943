import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { numberColumn, proposalOf, readOffWarnings } from "../../../node/adapters/proposal.ts";

const parts = {
  title: "Visits",
  name: "Clinic  Visits_",
  person: "id",
  rowsOfOnePerson: 3,
  columns: { age: { type: "integer" as const, nullable: false } },
};

describe("what proposals have in common", () => {
  it("gives names that a manifest takes, whatever the file or table is called", () => {
    expect(proposalOf(parts, []).manifest).to.deep.include({ name: "clinic-visits", table: "clinic_visits" });
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        proposalOf({ ...parts, name }, []);
      }),
    );
  });

  it("proposes a budget from which a querier can ask three times at what documents and lab show, one between two batches", () => {
    const folder = "node/living-lab/algorithms";
    const shown = [
      ...readdirSync(folder).map((file) => join(folder, file)),
      "docs/custodians.md",
      "docs/algorithms.md",
    ].flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/microRho: "(\d+)"|`"(\d+)"`/g)].map((match) =>
        BigInt(match[1] ?? match[2]!),
      ),
    );
    const charge = shown.reduce((most, one) => (one > most ? one : most));
    expect(shown.length).to.be.greaterThan(10);
    const { totalMicroRho, perQuerierMicroRho, reservedMicroRho } = proposalOf(parts, []).manifest.budget;
    expect(BigInt(reservedMicroRho) >= charge).to.equal(true);
    expect(BigInt(perQuerierMicroRho) >= 3n * charge).to.equal(true);
    expect(BigInt(totalMicroRho) >= 2n * BigInt(perQuerierMicroRho)).to.equal(true);
  });

  it("keeps rowsPerPerson among those that a manifest takes, and says what it is", () => {
    const rowsFor = (rowsOfOnePerson: number) => {
      const { manifest, warnings } = proposalOf({ ...parts, rowsOfOnePerson }, ["first"]);
      expect(warnings[0]).to.equal("first");
      expect(warnings[1]).to.contain(`rowsPerPerson (${manifest.rowsPerPerson})`);
      return manifest.rowsPerPerson;
    };
    expect([0, 7, 1e9].map(rowsFor)).to.deep.equal([1, 7, 10_000]);
  });

  it("rounds bounds outwards to two digits, never into the values", () => {
    expect(numberColumn(18, 1234, 0, true)).to.deep.equal({
      type: "integer",
      bounds: [18, 1300],
      nullable: true,
    });
    expect(numberColumn(0, 2 ** 50, 0, true)).to.equal("its numbers are too large");
    const grid = fc.integer({ min: -1e9, max: 1e9 });
    fc.assert(
      fc.property(grid, grid, fc.integer({ min: 0, max: 3 }), (a, b, scale) => {
        const [least, most] = [Math.min(a, b) / 10 ** scale, Math.max(a, b) / 10 ** scale];
        const column = numberColumn(least, most, scale, false);
        expect(column).to.have.property("bounds");
        const [low, high] = (column as { bounds: [number, number] }).bounds;
        expect(low <= least && high >= most).to.equal(true);
      }),
    );
  });

  it("warns of what was read off, of an open domain as of a closed one", () => {
    const text = { type: "text" as const, nullable: false };
    expect(readOffWarnings("note", { ...text, domain: "open" })[0]).to.contain("note has more than 50");
    expect(readOffWarnings("sex", { ...text, domain: ["f", "m"] })[0]).to.contain("domain of sex");
    expect(readOffWarnings("seen", { type: "boolean", nullable: false })).to.deep.equal([]);
  });
});
