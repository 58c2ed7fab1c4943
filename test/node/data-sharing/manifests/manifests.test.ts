import { expect } from "chai";
import fc from "fast-check";
import {
  algorithmHash,
  parseAlgorithmManifest,
} from "../../../../node/data-sharing/manifests/algorithm-manifest.ts";
import { parseDatasetManifest } from "../../../../node/data-sharing/manifests/dataset-manifest.ts";
import {
  dateToDays,
  daysToDate,
  decimalToGrid,
  formatDecimal,
  parseDecimal,
} from "../../../../node/data-sharing/manifests/grid.ts";
import { TrustedDataError } from "../../../../node/errors.ts";
import { people } from "../plan/questions.ts";

const yaml = `
name: wages-by-age
title: Wages by age
description: Mean wage per decade of age.
version: 1
kind: sql
dataClass: wages
table: people
sql: |
  SELECT age / 10 * 10 AS decade, AVG(wage) AS wage
  FROM people WHERE age >= param.minimum GROUP BY decade
parameters:
  minimum: { type: integer, minimum: 18, maximum: 60, default: 18 }
clamp: { wage: [1, 40.5] }
microRho: "50000"
purposes: [dpv:ResearchAndDevelopment]
`;

function fieldsOf(run: () => unknown): Readonly<Record<string, string>> {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TrustedDataError)) throw error;
    expect(error.code).to.equal("manifest_invalid");
    return error.fields;
  }
  throw new Error("nothing was refused");
}

describe("an algorithm's manifest", () => {
  it("is the same thing as YAML and as JSON, and has one hash", () => {
    const manifest = parseAlgorithmManifest(yaml);
    expect(manifest.clamp).to.deep.equal({ wage: [1, 40.5] });
    const json = JSON.stringify(Object.fromEntries(Object.entries(manifest).reverse()), null, 4);
    expect(parseAlgorithmManifest(json)).to.deep.equal(manifest);
    expect(algorithmHash(parseAlgorithmManifest(json))).to.equal(algorithmHash(manifest));
    expect(algorithmHash(manifest)).to.match(/^0x[0-9a-f]{64}$/);
    expect(algorithmHash(parseAlgorithmManifest(yaml.replace("50000", "50001")))).to.not.equal(
      algorithmHash(manifest),
    );
  });

  const wrong: [string, (text: string) => string, string, string][] = [
    ["an unknown field", (text) => `${text}epsilon: 99\n`, "epsilon", "unknown field"],
    [
      "an unknown field of a parameter",
      (text) => text.replace("default: 18", "step: 2"),
      "parameters.minimum.step",
      "unknown field",
    ],
    ["a charge that is a number", (text) => text.replace('"50000"', "50000"), "microRho", "double quotes"],
    ["a charge of zero", (text) => text.replace('"50000"', '"0"'), "microRho", "costs nothing"],
    ["another kind", (text) => text.replace("kind: sql", "kind: python"), "kind", "sql"],
    [
      "a default outside of its range",
      (text) => text.replace("default: 18", "default: 17"),
      "parameters.minimum.default",
      "outside",
    ],
    [
      "a name that is no identifier",
      (text) => text.replace("  minimum:", "  Min imum:"),
      "parameters.Min imum",
      "lower-case",
    ],
    ["bounds the wrong way round", (text) => text.replace("[1, 40.5]", "[41, 40.5]"), "clamp.wage", "above"],
    ["an infinite bound", (text) => text.replace("[1, 40.5]", "[1, .inf]"), "document", "not finite"],
    [
      "a purpose of no vocabulary",
      (text) => text.replace("dpv:ResearchAndDevelopment", "anything"),
      "purposes.0",
      "Data Privacy Vocabulary",
    ],
    ["no SQL", (text) => text.replace(/sql: \|[\s\S]*?(?=parameters)/, ""), "sql", "missing"],
    [
      "SQL that nobody reads",
      (text) => text.replace("SELECT", `SELECT /* ${"é".repeat(4_096)} */`),
      "sql",
      "8192 bytes",
    ],
    ["a key twice", (text) => `${text}microRho: "1"\n`, "document", "unique"],
    ["an anchor", (text) => text.replace("title: Wages", "title: &a Wages"), "document", "anchors"],
    [
      "an alias",
      (text) => text.replace("title: Wages by age", "title: &a x").replace("table: people", "table: *a"),
      "document",
      "anchors",
    ],
    ["a merge key", (text) => `${text}<<: { version: 2 }\n`, "<<", "unknown field"],
    ["a tag", (text) => text.replace("version: 1", "version: !!binary aGk="), "document", "tag"],
    ["two documents", (text) => `${text}---\nname: other\n`, "document", "document"],
    ["a key that is no text", (text) => `${text}1: 2\n`, "document", "not text"],
    [
      "a key that reaches for the prototype",
      (text) => `${text}__proto__: { version: 2 }\n`,
      "document",
      "__proto__",
    ],
    [
      "a number past 2^53",
      (text) => text.replace("version: 1", "version: 9007199254740993"),
      "document",
      "2^53",
    ],
    ["64 KiB of nothing", (text) => `${text}#${" ".repeat(65_536)}`, "document", "65536 bytes"],
    ["brackets without end", () => `name: ${"[".repeat(30_000)}`, "document", ""],
    ["JSON brackets without end", () => "[".repeat(30_000), "document", "nested"],
    ["JSON with a key twice", () => '{"name": "a", "name": "b"}', "document", "twice"],
    ["nothing", () => "", "document", "object"],
  ];
  for (const [name, change, path, reason] of wrong) {
    it(`is refused with ${name}`, () => {
      const fields = fieldsOf(() => parseAlgorithmManifest(change(yaml)));
      expect(fields).to.have.property(path);
      expect(fields[path]).to.contain(reason);
    });
  }
});

describe("a dataset's manifest", () => {
  it("survives being written and read", () => {
    expect(parseDatasetManifest(JSON.stringify(people))).to.deep.equal(people);
  });

  type Loose = { columns: Record<string, unknown> } & Record<string, unknown>;
  const wrong: [string, (manifest: Loose) => void, string][] = [
    [
      "bounds that lie between two steps",
      (m) => Object.assign(m.columns, { wage: { type: "decimal", scale: 1, bounds: [0, 0.25] } }),
      "columns.wage.bounds",
    ],
    [
      "bounds past the engines' integers",
      (m) => Object.assign(m.columns, { wage: { type: "decimal", scale: 6, bounds: [0, 2 ** 47] } }),
      "columns.wage.bounds",
    ],
    [
      "a domain with a value twice",
      (m) => Object.assign(m.columns, { sex: { type: "text", domain: ["a", "a"] } }),
      "columns.sex.domain",
    ],
    [
      "a date that does not exist",
      (m) => Object.assign(m.columns, { joined: { type: "date", bounds: ["2023-02-29", "2024-01-01"] } }),
      "columns.joined.bounds.0",
    ],
    [
      "dates the wrong way round",
      (m) => Object.assign(m.columns, { joined: { type: "date", bounds: ["2024-01-02", "2024-01-01"] } }),
      "columns.joined.bounds",
    ],
    ["the person among the columns", (m) => Object.assign(m, { person: "age" }), "person"],
    [
      "a type that there is not",
      (m) => Object.assign(m.columns, { age: { type: "float" } }),
      "columns.age.type",
    ],
    [
      "a text without a domain",
      (m) => Object.assign(m.columns, { sex: { type: "text" } }),
      "columns.sex.domain",
    ],
  ];
  for (const [name, change, path] of wrong) {
    it(`is refused with ${name}`, () => {
      const manifest = structuredClone(people) as unknown as Loose;
      change(manifest);
      expect(fieldsOf(() => parseDatasetManifest(JSON.stringify(manifest)))).to.have.property(path);
    });
  }
});

describe("a manifest that is refused", () => {
  it("takes no time for a grid without end, in columns and in public tables", () => {
    for (const scale of [2 ** 31, Number.MAX_SAFE_INTEGER, 1.5, -1, 7]) {
      const column = { type: "decimal", scale, bounds: [1, 2] };
      const dataset = JSON.stringify({ ...people, columns: { ...people.columns, wage: column } });
      expect(Object.keys(fieldsOf(() => parseDatasetManifest(dataset))), String(scale)).to.include(
        "columns.wage.scale",
      );
      const table = { columns: [{ name: "rate", type: "decimal", scale }], rows: [[1.5]] };
      const algorithm = JSON.stringify({ ...parseAlgorithmManifest(yaml), publicTables: { rates: table } });
      expect(Object.keys(fieldsOf(() => parseAlgorithmManifest(algorithm))), String(scale)).to.include(
        "publicTables.rates.columns.0.scale",
      );
    }
  });

  it("says what is missing, and where a number has to be written as a text", () => {
    const refusal = (text: string) => {
      try {
        parseAlgorithmManifest(text);
      } catch (error) {
        if (error instanceof TrustedDataError) return error.fields;
        throw error;
      }
      return expect.fail("it was taken");
    };
    expect(refusal(yaml.replace("version: 1\n", ""))).to.deep.equal({ version: "it is missing" });
    const unquoted = refusal(yaml.replace(/^microRho: .*$/m, "microRho: 500000"));
    expect(unquoted.microRho).to.match(/double quotes/);
  });
});

describe("the grid", () => {
  it("keeps decimals exactly, and refuses what lies between two steps", () => {
    expect(decimalToGrid(12.5, 2)).to.equal(1_250n);
    expect(decimalToGrid(-0.01, 2)).to.equal(-1n);
    expect(decimalToGrid(0.005, 2)).to.equal(null);
    expect(decimalToGrid(1e-7, 6)).to.equal(null);
    expect(decimalToGrid(0.1 + 0.2, 6)).to.equal(null);
    expect(parseDecimal("-012.500")).to.deep.equal({ steps: -125n, scale: 1 });
    for (const text of ["", ".", "-", "1e3", "0x1", "1,5", "--1"])
      expect(parseDecimal(text), text).to.equal(null);
  });

  it("writes what it reads", () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.integer({ min: 0, max: 12 }), (steps, scale) => {
        const read = parseDecimal(formatDecimal(steps, scale))!;
        expect(read.steps * 10n ** BigInt(scale - read.scale)).to.equal(steps);
      }),
    );
    expect(formatDecimal(-5n, 2)).to.equal("-0.05");
  });

  it("counts days", () => {
    expect(dateToDays("1970-01-01")).to.equal(0n);
    expect(dateToDays("2000-03-01")).to.equal(11_017n);
    expect(dateToDays("1969-12-31")).to.equal(-1n);
    for (const text of ["2023-02-29", "2023-2-1", "now", "2023-13-01"])
      expect(dateToDays(text), text).to.equal(null);
    expect(daysToDate(dateToDays("2024-02-29")!)).to.equal("2024-02-29");
  });
});
