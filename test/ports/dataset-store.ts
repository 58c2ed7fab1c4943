/** What every DatasetStore does: whole datasets or nothing, clear errors with places, bounded rows per person. */
import { expect } from "chai";
import type { DatasetManifest } from "../../node/data-sharing/manifests/dataset-manifest.ts";
import { textCode } from "../../node/data-sharing/manifests/text-code.ts";
import type { ErrorCode, TrustedDataError } from "../../node/errors.ts";
import { expectCode } from "../support/errors.ts";
import {
  byRegion,
  column,
  type DataUnderTest,
  header,
  joinedManifest,
  limits,
  manifestOf,
  type PlanParts,
  planOf,
  row,
  rowCount,
  sumOf,
  writeRows,
  writeText,
} from "./data-files.ts";

export function testDatasetStore(create: () => Promise<DataUnderTest> | DataUnderTest): void {
  let data: DataUnderTest;

  beforeEach(async () => {
    data = await create();
  });
  afterEach(() => data.dispose());

  const importText = (text: string | Uint8Array, manifest: DatasetManifest = manifestOf()) =>
    data.store.importFile(writeText(data.inbox, text), manifest);
  const line = 'p,"it\'s south",1.50,30,1970-01-02,true,7';
  const rows = async (dataset = "visits") =>
    (await data.engine.execute(dataset, planOf([rowCount]), limits)).vectors[0]![0];
  const sums = async (...names: string[]) => {
    const plan = planOf(names.map((name) => sumOf(column(name), -(2n ** 47n), 2n ** 47n)));
    return (await data.engine.execute("visits", plan, limits)).vectors.map((vector) => vector[0]);
  };

  /** Refused, with nothing changed: neither the listing nor the answers of what was there. */
  async function refused(text: string | Uint8Array, code: ErrorCode): Promise<TrustedDataError> {
    await data.store.importFile(writeRows(data.inbox, [row("a"), row("b")], "good.csv"), manifestOf());
    const before = data.listing();
    const error = await expectCode(() => importText(text), code);
    expect(data.listing()).to.deep.equal(before);
    expect(await rows()).to.equal(2n);
    return error;
  }

  it("keeps manifests by name, as they were given", async () => {
    expect(data.store.manifests()).to.deep.equal([]);
    const [visits, other] = [manifestOf(), manifestOf({ name: "a-other", title: "Other" })];
    const file = writeText(data.inbox, `${header}\n${line}\n`);
    await data.store.importFile(file, visits);
    await data.store.importFile(file, other);
    expect(data.store.manifests()).to.deep.equal([other, visits]);
    expect([await rows("visits"), await rows("a-other")]).to.deep.equal([1n, 1n]);
  });

  it("replaces a dataset of the same name", async () => {
    await importText(`${header}\n${line}\n`);
    await importText(`${header}\n${line}\nq,north,,5,,,9\n`, manifestOf({ title: "Newer" }));
    expect(data.store.manifests().map(({ title }) => title)).to.deep.equal(["Newer"]);
    expect(await rows()).to.equal(2n);
  });

  it("stores decimals in steps, texts and booleans by place, dates as days", async () => {
    await importText(`${header}\n${line}\n`);
    expect(await sums("region", "cost", "age", "day", "acute", "large")).to.deep.equal([
      1n,
      150n,
      30n,
      1n,
      1n,
      7n,
    ]);
  });

  it("moves values to their bounds and rounds them to the grid, and says how many", async () => {
    const file = `${header}\na,north,1.005,130,1850-01-01,1,7\nb,,-1.005,-1,,F,1e30\nc,north,2000,5,2020-01-01,TRUE,-3.0\n`;
    const report = await importText(file);
    expect(report).to.deep.include({
      rows: 3,
      people: 3,
      rowsLeftOut: 0,
      clamped: { cost: 1, age: 2, day: 1, large: 1 },
      rounded: { cost: 2 },
      madeNull: {},
    });
    // 1.01 - 1.01 + 1000.00; 120 + 0 + 5; 7 + 2^47 - 3
    expect(await sums("cost", "age", "large")).to.deep.equal([100_000n, 125n, 2n ** 47n + 4n]);
  });

  it("takes a text outside of the domain as null where the column is nullable, and says so", async () => {
    const report = await importText(`${header}\na,elsewhere,,1,,,1\nb,North,,1,,,1\nc,north,,1,,,1\n`);
    expect(report.madeNull).to.deep.equal({ region: 2 });
    const plan = planOf([rowCount], { keys: byRegion });
    expect((await data.engine.execute("visits", plan, limits)).vectors).to.deep.equal([[1n, 0n, 0n, 0n]]);
  });

  it("keeps at most the declared rows of a person, any of them", async () => {
    const kept = new Set<string>();
    for (let round = 0; round < 8; round++) {
      const mine = Array.from({ length: 6 }, (_, at) =>
        row("a", { age: BigInt(10 ** (at % 3)) + BigInt(at) }),
      );
      const file = writeRows(data.inbox, [...mine, row("b", { age: 0n })]);
      const report = await data.store.importFile(file, manifestOf({ rowsPerPerson: 2 }));
      expect(report).to.deep.include({ rows: 7, people: 2, rowsLeftOut: 4 });
      expect(await rows()).to.equal(3n);
      kept.add(String(await sums("age")));
    }
    expect(kept.size).to.be.greaterThan(1);
  });

  it("accepts a byte-order mark, CRLF, quoted line ends, blank lines at the end and no last line end", async () => {
    const texts = [
      `\ufeff${header}\r\n${line}\r\n`,
      `${header}\n${line}`,
      `${header}\r\n${line}\r\n\r\n\r\n`,
      `${header},note\n${line},"two\nlines, ""quoted"""\n`,
    ];
    for (const text of texts) {
      await importText(text);
      expect(await sums("age", "large"), JSON.stringify(text)).to.deep.equal([30n, 7n]);
    }
  });

  it("finds comma, semicolon or tab by the header, and says which and what it left aside", async () => {
    for (const delimiter of [",", ";", "\t"]) {
      const text = `Person,Region,COST,age,day,acute,large,a;b\n${line},z\n`.replaceAll(",", delimiter);
      const extra = delimiter === ";" ? ["a", "b"] : ["a;b"];
      const report = await importText(delimiter === ";" ? text.replace(";z", ";z;z") : text);
      expect(report).to.deep.include({ delimiter, ignoredColumns: extra });
    }
  });

  it("tells how far it has come", async () => {
    const seen: number[] = [];
    const file = writeText(data.inbox, `${header}\n${line}\n`);
    await data.store.importFile(file, manifestOf(), ({ bytesRead, bytesTotal }) => {
      seen.push(bytesRead / bytesTotal);
    });
    expect(seen.at(-1)).to.equal(1);
    expect(seen).to.deep.equal(seen.toSorted((a, b) => a - b));
  });

  describe("with further tables and open domains", () => {
    const files = { patients: "patients.csv", drugs: "drugs.csv" };
    const visitLines = [
      `${header},town,who`,
      "a,north,1,30,,,7,Oslo,0",
      'a,north,2,31,,,7,"Kingston, ""upon"" Hull",0',
      "b,,,32,,,7,,1",
    ];
    const patientLines = ["who,person,born,weight,town", "0,a,2000-02-29,70.5,Oslo", "2,c,,60,", "2,c,,61,"];
    const drugLines = ["person,dose,generic,who,note", "a,5,true,0,x", "d,-2000,f,3,y", "a,,t,0,"];
    const importAll = (changes: Partial<Record<"visits" | keyof typeof files, string[]>> = {}) => {
      const write = (table: string, lines: string[]) =>
        writeText(data.inbox, `${lines.join("\n")}\n`, `${table}.csv`);
      const file = write("visits", changes.visits ?? visitLines);
      return data.store.importFile(file, joinedManifest(), undefined, {
        patients: write("patients", changes.patients ?? patientLines),
        drugs: write("drugs", changes.drugs ?? drugLines),
      });
    };
    const from = (...tables: string[]): PlanParts => ({
      rows: {
        sources: tables.map((table) => ({ kind: "table", table, rowsPerPerson: 1 })),
        publicJoins: [],
        filter: { kind: "always" },
      },
    });
    const count = async (...tables: string[]) =>
      (await data.engine.execute("visits", planOf([rowCount], from(...tables)), limits)).vectors[0]![0];

    it("imports all tables with one numbering of people, and reports on each", async () => {
      const report = await importAll();
      expect(report).to.deep.include({
        rows: 9,
        people: 4,
        rowsLeftOut: 1,
        clamped: { "drugs.dose": 1 },
        ignoredColumns: ["drugs.note"],
        tables: {
          visits: { rows: 3, rowsLeftOut: 0 },
          patients: { rows: 3, rowsLeftOut: 1 },
          drugs: { rows: 3, rowsLeftOut: 0 },
        },
      });
      expect([await count("visits"), await count("patients"), await count("drugs")]).to.deep.equal([
        2n,
        2n,
        2n,
      ]);
      // Only a has rows in all of them.
      expect(await count("visits", "patients", "drugs")).to.equal(1n);
    });

    it("stores open texts by their code, and names them again", async () => {
      await importAll();
      const key = (name: string) =>
        ({ kind: "open", expression: column(name), type: "text", scale: 0 }) as const;
      const { groups } = await data.engine.execute(
        "visits",
        planOf([rowCount, { kind: "people" }], { keys: [key("town")] }),
        limits,
      );
      expect(groups!.flat().sort()).to.deep.equal(['Kingston, "upon" Hull', "Oslo"]);
      const equal = (text: string): PlanParts => ({
        filter: { kind: "in", expression: column("town"), values: [String(textCode(text))] },
      });
      for (const [text, rows] of [
        ["Oslo", 1n],
        ["oslo", 0n],
      ] as const)
        expect(
          (await data.engine.execute("visits", planOf([rowCount], equal(text)), limits)).vectors,
        ).to.deep.equal([[rows]]);
    });

    it("takes open texts of at most 100 characters, whatever they take in bytes", async () => {
      const long = (text: string) => [...visitLines, `b,,,32,,,7,${text},1`];
      await importAll({ visits: long("ł".repeat(100)) });
      const error = await expectCode(() => importAll({ visits: long("ł".repeat(101)) }), "data_file_invalid");
      expect(error.fields).to.deep.include({ "line 5": "town: longer than 100 characters" });
    });

    it("refuses all where one file is bad, and says which", async () => {
      await importAll();
      const before = data.listing();
      const bad = { drugs: [...drugLines, "b,five,t,1,"], patients: ["who,person", "0,a"] };
      const drugs = await expectCode(() => importAll({ drugs: bad.drugs }), "data_file_invalid");
      expect(drugs.message).to.match(/^drugs\.csv \(table drugs\): .*line 5 \(dose: not a number\)/);
      expect(drugs.fields).to.include({ table: "drugs", file: "drugs.csv" });
      const patients = await expectCode(
        () => importAll({ patients: bad.patients }),
        "data_file_column_missing",
      );
      expect(patients.message).to.match(/^patients\.csv \(table patients\): /);
      await expectCode(() => importAll({ drugs: drugLines.slice(0, 1) }), "data_file_empty");
      expect(data.listing()).to.deep.equal(before);
      expect(await count("visits", "patients", "drugs")).to.equal(1n);
    });

    it("refuses a table without a file, and a file without a table", async () => {
      const file = writeText(data.inbox, `${visitLines.join("\n")}\n`);
      const further = (given: Record<string, string>) =>
        data.store.importFile(file, joinedManifest(), undefined, given);
      const missing = await expectCode(() => further({ patients: file }), "data_file_not_found");
      expect(missing.fields).to.deep.equal({ table: "drugs" });
      const unknown = await expectCode(
        () => further({ patients: file, drugs: file, others: file }),
        "data_file_not_found",
      );
      expect(unknown.fields).to.deep.equal({ table: "others" });
      expect(data.listing()).to.deep.equal([]);
    });

    it("tells how far it has come over all files, never back", async () => {
      const seen: number[] = [];
      const [visits, patients, drugs] = (
        [
          ["visits", visitLines],
          ["patients", patientLines],
          ["drugs", drugLines],
        ] as const
      ).map(([table, lines]) => writeText(data.inbox, `${lines.join("\n")}\n`, `${table}.csv`));
      await data.store.importFile(
        visits!,
        joinedManifest(),
        ({ bytesRead, bytesTotal }) => void seen.push(bytesRead / bytesTotal),
        { patients: patients!, drugs: drugs! },
      );
      expect(seen.at(-1)).to.equal(1);
      expect(seen).to.deep.equal(seen.toSorted((a, b) => a - b));
    });
  });

  describe("refuses, with nothing changed,", () => {
    it("a file that is not there", async () => {
      await expectCode(
        () => data.store.importFile(`${data.inbox}/none.csv`, manifestOf()),
        "data_file_not_found",
      );
      await expectCode(() => data.store.importFile(data.inbox, manifestOf()), "data_file_not_found");
      expect(data.listing()).to.deep.equal([]);
    });

    for (const [name, text] of [
      ["nothing", ""],
      ["blank lines", "\n\n"],
      ["a header alone", `${header}\n`],
      ["a header without a line end", header],
    ] as const)
      it(`an empty file: ${name}`, () => refused(text, "data_file_empty"));

    it("UTF-16, Latin-1 and a cut-off character", async () => {
      const utf16 = Buffer.from(`\ufeff${header}\n${line}\n`, "utf16le");
      await refused(utf16, "data_file_encoding");
      await refused(utf16.subarray(2), "data_file_encoding");
      const latin1 = await refused(
        Buffer.from(`${header}\n${line}\np,Zürich,,1,,,1\n`, "latin1"),
        "data_file_encoding",
      );
      expect(latin1.fields).to.have.property("line", "3");
      const cut = Buffer.from(`${header},n\n${line},é`);
      await refused(cut.subarray(0, -1), "data_file_encoding");
    });

    it("a missing person column or declared column, by name", async () => {
      const person = await refused(
        `${header.replace("person", "id")}\n${line}\n`,
        "data_file_column_missing",
      );
      expect(person.fields).to.deep.equal({ columns: "person" });
      const other = await refused(`person,age\np,3\n`, "data_file_column_missing");
      expect(other.fields.columns).to.equal("region, cost, day, acute, large");
      await refused(
        `${header.replaceAll(",", "|")}\n${line.replaceAll(",", "|")}\n`,
        "data_file_column_missing",
      );
    });

    it("a header that names a column twice", async () => {
      const error = await refused(`${header},Age\n${line},4\n`, "data_file_invalid");
      expect(error.message).to.contain("Age");
    });

    const broken: [string, string, Record<string, string>][] = [
      ["too few fields", `${line}\np,north\n`, { "line 3": "2 fields where the header has 7" }],
      ["too many fields", `${line}\n${line},\n`, { "line 3": "8 fields where the header has 7" }],
      ["a blank line between rows", `${line}\n\n${line}\n`, { "line 4": "a blank line comes before it" }],
      [
        "a quote that is never closed",
        `${line}\np,"north,1,30,,,7\n${line.replaceAll('"', "")}\n`,
        { "line 3": "a quote is opened and never closed" },
      ],
      ["text after a quote", `p,"north"x,1,30,,,7\n`, { "line 2": "text after a closing quote" }],
      [
        "a quote inside a plain field",
        `p,no"rth,1,30,,,7\n`,
        { "line 2": "a quote inside a field that does not start with one" },
      ],
      ["a lone carriage return", `p,no\rrth,1,30,,,7\n`, { "line 2": "a carriage return inside a line" }],
      ["an empty person", `${line}\n,north,1,30,,,7\n`, { "line 3": "person: no person" }],
      ["an empty value where none is allowed", "p,,,,,,7\n", { "line 2": `age: ${noValue}` }],
      ["a text for a number", "p,,,thirty,,,7\n", { "line 2": "age: not a number" }],
      ["other words for a missing number", "p,,NA,30,,,7\n", { "line 2": "cost: not a number" }],
      ["a number with spaces", "p,,, 30,,,7\n", { "line 2": "age: not a number" }],
      ["a number with separators", "p,,1_000,30,,,7\n", { "line 2": "cost: not a number" }],
      [
        "not-a-number and infinity",
        "p,,nan,30,,,inf\n",
        { "line 2": "cost: not a number; large: not a number" },
      ],
      ["a fraction in a whole number", "p,,,30.5,,,7\n", { "line 2": "age: not a whole number" }],
      ["a day that does not exist", "p,,,30,2021-02-29,,7\n", { "line 2": `day: ${noDate}` }],
      ["another form of date", "p,,,30,01/02/2021,,7\n", { "line 2": `day: ${noDate}` }],
      ["neither true nor false", "p,,,30,,maybe,7\n", { "line 2": "acute: neither true nor false" }],
      [
        "the right line after quoted line ends",
        `p,"a\nb\n",,1,,,1\np,,x,1,,,1\n`,
        { "line 5": "cost: not a number" },
      ],
    ];
    for (const [name, text, fields] of broken)
      it(name, async () => {
        const error = await refused(`${header}\n${text}`, "data_file_invalid");
        expect(error.fields).to.deep.equal(fields);
        expect(error.message).to.contain(Object.values(fields)[0]!);
      });

    it("a text outside of the domain where the column is not nullable", async () => {
      const { columns } = manifestOf();
      const manifest = manifestOf({
        columns: { ...columns, region: { ...columns.region!, nullable: false } },
      });
      const error = await expectCode(
        () => importText(`${header}\np,nowhere,,1,,,1\n`, manifest),
        "data_file_invalid",
      );
      expect(error.fields).to.deep.equal({ "line 2": "region: not in the declared domain" });
      expect(data.listing()).to.deep.equal([]);
    });

    it("many bad rows, of which it shows the first ten", async () => {
      const values = Array.from({ length: 5000 }, (_, at) => `p,,,${at % 7 === 3 ? "x" : 1},,,1`);
      const error = await refused(`${header}\n${values.join("\n")}\n`, "data_file_invalid");
      expect(Object.keys(error.fields)).to.deep.equal(
        Array.from({ length: 10 }, (_, at) => `line ${at * 7 + 5}`),
      );
      const shape = await refused(`${header}\n${"p,1\n".repeat(50)}`, "data_file_invalid");
      expect(Object.keys(shape.fields)).to.have.length(10);
      expect(shape.message).to.contain("and more");
    });
  });
}

const noValue = "no value, and the column is not declared nullable";
const noDate = "not a date of the form YYYY-MM-DD";
