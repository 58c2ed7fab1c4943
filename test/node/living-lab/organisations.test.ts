import { expect } from "chai";
import {
  authorId,
  dataClasses,
  organisation,
  organisations,
  vettersOf,
} from "../../../node/living-lab/organisations.ts";
import { datasetManifest, datasetNames } from "./support/table.ts";

describe("the organisations of the Living Lab", () => {
  it("are five, each with a name and a control group of its own", () => {
    expect(organisations).to.have.length(5);
    for (const field of ["id", "title", "controlGroup"] as const)
      expect(new Set(organisations.map((one) => one[field])).size, field).to.equal(5);
  });

  it("let operator, bank and hospital answer, and city and university be asked where data is", () => {
    const having = (role: "repository" | "directory") =>
      organisations.filter(({ roles }) => roles.includes(role)).map(({ id }) => id);
    expect(having("repository")).to.deep.equal(["operator", "bank", "hospital"]);
    expect(having("directory")).to.deep.equal(["city", "university"]);
  });

  it("hold every dataset once, and only repositories hold any", () => {
    expect(organisations.flatMap(({ datasets }) => datasets).sort()).to.deep.equal([...datasetNames].sort());
    for (const { roles, datasets } of organisations)
      if (!roles.includes("repository")) expect(datasets).to.deep.equal([]);
  });

  for (const dataClass of dataClasses)
    it(`can lose any one vetter of ${dataClass} and still have two of two control groups, none the author's`, () => {
      const author = organisation(authorId);
      const groups = new Set(vettersOf(dataClass).map(({ controlGroup }) => controlGroup));
      groups.delete(author.controlGroup);
      expect(groups.size).to.be.at.least(3);
    });

  it("vet only if they are vetters", () => {
    for (const { vets, roles } of organisations) expect(vets.length > 0).to.equal(roles.includes("vetter"));
  });

  it("hold data of the classes that are vetted", () => {
    for (const name of datasetNames) expect(dataClasses).to.include(datasetManifest(name).dataClass);
  });
});
