import { expect } from "chai";
import type { AlgorithmManifest } from "../../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { compilePlan } from "../../../../node/data-sharing/plan/compile-plan.ts";
import { loadSqlParser } from "../../../../node/data-sharing/plan/parse-sql.ts";
import type { Plan } from "../../../../node/data-sharing/plan/plan.ts";
import { planHash } from "../../../../node/data-sharing/plan/plan-hash.ts";
import { planSchema } from "../../../../node/data-sharing/plan/plan-schema.ts";
import { algorithm, declaredKey, people, planOf, planWhere, refusal } from "./questions.ts";

describe("compiling a plan", () => {
  before(loadSqlParser);

  it("turns a question into counts, sums and their noise", () => {
    const plan = planOf(
      "SELECT age / 10 * 10 AS decade, COUNT(*) AS people, AVG(wage) AS wage FROM people WHERE member GROUP BY decade",
    );
    expect(plan.rows.filter).to.deep.equal({
      kind: "compare",
      operator: "=",
      left: { kind: "column", name: "member" },
      right: { kind: "constant", value: "1" },
    });
    expect(declaredKey(plan).labels).to.deep.equal(["10", "20", "30", "40", "50", "60", "70", "80", "90"]);
    expect(plan.vectors).to.deep.equal([
      { kind: "count", of: null },
      { kind: "sum", of: { kind: "column", name: "wage" }, low: "0", high: "5000", centre: "2500" },
    ]);
    expect(plan.releases).to.deep.equal([
      { mechanism: "gaussian", vector: 0, sensitivitySquared: "9", microRho: "25000" },
      { mechanism: "gaussian", vector: 1, sensitivitySquared: "56250000", microRho: "25000" },
    ]);
    expect(plan.outputs).to.deep.equal([
      { kind: "key", name: "decade", shown: true, key: 0 },
      { kind: "count", name: "people", shown: true, release: 0, cell: 0 },
      { kind: "average", name: "wage", shown: true, sum: 1, count: 0, scale: 2 },
    ]);
    expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).to.deep.equal(plan);
  });

  it("spends equal shares and never more than the charge", () => {
    const plan = planOf("SELECT COUNT(*), SUM(age) AS a, SUM(children) AS b FROM people", {
      microRho: "100",
    });
    expect(plan.releases.map((release) => release.microRho)).to.deep.equal(["33", "33", "33"]);
    expect(plan.microRho).to.equal("99");
    expect(refusal(() => planOf("SELECT COUNT(*), SUM(age) FROM people", { microRho: "1" })).code).to.equal(
      "charge_too_small",
    );
  });

  it("counts all rows for the floor even where nobody asks", () => {
    expect(planOf("SELECT SUM(age) FROM people").vectors[0]).to.deep.equal({ kind: "count", of: null });
  });

  it("counts a column that is never null as all rows, and a nullable one by itself", () => {
    expect(planOf("SELECT COUNT(*), COUNT(age) AS n FROM people").vectors).to.have.length(1);
    const plan = planOf("SELECT COUNT(children), AVG(children) FROM people");
    expect(plan.vectors).to.have.length(3);
    expect(plan.vectors[1]).to.deep.equal({ kind: "count", of: { kind: "column", name: "children" } });
  });

  it("clamps sums to the narrower of the bounds", () => {
    const sumOf = (plan: Plan) => plan.vectors[1];
    const clamp = { wage: [1, 20.5] } satisfies AlgorithmManifest["clamp"];
    expect(sumOf(planOf("SELECT SUM(wage) FROM people", { clamp }))).to.include({ low: "100", high: "2050" });
    expect(sumOf(planOf("SELECT AVG(wage) FROM people", { clamp }))).to.include({ centre: "1075" });
    expect(sumOf(planOf("SELECT SUM(wage * 2) FROM people", { clamp }))).to.include({
      low: "200",
      high: "4100",
    });
    expect(sumOf(planOf("SELECT SUM(score) FROM people", { clamp: { score: [0, 10] } }))).to.include({
      low: "0",
      high: "100",
    });
  });

  it("names a column without bounds where it needs them", () => {
    for (const select of ["SUM(score)", "AVG(serial)", "SUM(serial + 1)", "AVG(score * 2)"]) {
      const error = refusal(() => planOf(`SELECT ${select} FROM people`));
      expect(error.code, select).to.equal("bounds_missing");
      expect(error.fields.column, select).to.be.oneOf(["score", "serial"]);
    }
    expect(planWhere("serial < 5 AND score > 1.25").rows.filter.kind).to.equal("and");
  });

  it("substitutes parameters as constants and checks their domains", () => {
    const question = algorithm("SELECT COUNT(*) FROM people WHERE age >= param.minimum AND sex = param.sex", {
      parameters: {
        minimum: { type: "integer", minimum: 18, maximum: 65, default: 40 },
        sex: { type: "text", values: ["female", "male", "unknown"] },
      },
    });
    const direct = planWhere("age >= 30 AND sex = 'male'");
    expect(planHash(compilePlan(question, { minimum: 30, sex: "male" }, people))).to.equal(planHash(direct));
    expect(planHash(compilePlan(question, { minimum: "30", sex: "male" }, people))).to.equal(
      planHash(direct),
    );
    for (const wrong of [
      { minimum: 17, sex: "male" },
      { minimum: 30.5, sex: "male" },
      { minimum: "030", sex: "male" },
      { minimum: "1e1", sex: "male" },
      { sex: "' OR 1=1 --" },
      {},
      { sex: "male", epsilon: 9 },
    ] as Record<string, string | number>[])
      expect(refusal(() => compilePlan(question, wrong, people)).code).to.equal("parameter_invalid");
    const outside = refusal(() => compilePlan(question, { sex: "unknown" }, people));
    expect(outside.code).to.equal("sql_refused");
    expect(outside.fields.reason).to.contain("'female', 'male'");
  });

  it("refuses an algorithm for another class of data or another table", () => {
    expect(refusal(() => planOf("SELECT COUNT(*) FROM people", { dataClass: "health" })).code).to.equal(
      "data_class_mismatch",
    );
    expect(refusal(() => planOf("SELECT COUNT(*) FROM folk", { table: "folk" })).code).to.equal(
      "data_class_mismatch",
    );
  });

  it("gives dates, booleans and texts their declared domain as keys", () => {
    const labels = (key: string) => declaredKey(planOf(`SELECT COUNT(*) FROM people GROUP BY ${key}`)).labels;
    expect(labels("joined")).to.deep.equal(["2019-12-30", "2019-12-31", "2020-01-01", "2020-01-02"]);
    expect(labels("member")).to.deep.equal(["false", "true"]);
    expect(labels("region")).to.deep.equal(["north", "east", "south", "west"]);
    expect(labels("(balance + 100) / 50 - 2")).to.deep.equal(["-2", "-1", "0", "1", "2"]);
    expect(labels("children * children")[3]).to.equal("9");
  });

  it("does not let the order in GROUP BY matter", () => {
    const hash = (keys: string) =>
      planHash(planOf(`SELECT sex, COUNT(*), member FROM people GROUP BY ${keys}`));
    expect(hash("member, sex")).to.equal(hash("sex, member"));
    expect(hash("3, 1")).to.equal(hash("sex, member, sex"));
  });
});
