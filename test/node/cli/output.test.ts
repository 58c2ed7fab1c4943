import { expect } from "chai";
import fc from "fast-check";
import { answerTable } from "../../../node/cli/answer-table.ts";
import { barChart } from "../../../node/cli/chart.ts";
import { rhoText, shortHex, slug, timeText } from "../../../node/cli/names.ts";
import { type Answered, answerDocument, answerText } from "../../../node/cli/query-output.ts";
import { receiptFiles } from "../../../node/cli/receipts.ts";
import { painter } from "../../../node/cli/style.ts";
import { renderTable, widthOf, wrapText } from "../../../node/cli/table.ts";
import type { DatasetOffer } from "../../../node/data-sharing/discover.ts";
import type { PresentedAnswer } from "../../../node/data-sharing/release/presented-answer.ts";
import { algorithm, datasetManifest } from "../../support/repository-world.ts";
import { RecordedTerminal } from "./support/recorded-terminal.ts";

const plain = painter(false);
const address = `0x${"ab".repeat(20)}`;
const hash = (digit: string) => `0x${digit.repeat(64)}`;

const presented: PresentedAnswer = {
  columns: [
    { name: "member", kind: "key", type: "text", scale: 0, spacing: null, rankMargin: null },
    { name: "people", kind: "count", type: "number", scale: 0, spacing: null, rankMargin: null },
    { name: "wage", kind: "average", type: "number", scale: 4, spacing: null, rankMargin: null },
  ],
  rows: [
    { values: ["no", "440", "8.6053"], margins: [null, "4", "0.5114"], suppressed: false, partial: false },
    { values: ["yes", "97", "10.6615"], margins: [null, "4", "1.4787"], suppressed: false, partial: true },
    { values: ["unknown", null, null], margins: [null, null, null], suppressed: true, partial: false },
  ],
};

function offer(publisher: string, name = "wages"): DatasetOffer {
  return {
    dataset: hash("1"),
    repository: address,
    publisher,
    peer: { endpoint: "https://bank.test", tlsFingerprint: hash("3") },
    manifest: datasetManifest({ name }),
  };
}

function answered(): Answered {
  const transcript = { chargeMicroRho: "500000", request: { dataset: hash("1") } };
  const ended = { offer: offer("Bank"), transcript, plan: null, answer: null, reason: null };
  const receipt = { transcript, anchor: {} };
  return {
    algorithm,
    purpose: "dpv:ResearchAndDevelopment",
    presented,
    answered: [{ ...ended, receipt }],
    failures: [
      {
        offer: offer("Hospital", "wages-two"),
        code: "peer_unreachable",
        message: "https://hospital.test cannot be reached.",
        ended: undefined,
      },
    ],
    receipts: [{ file: "r.json", publisher: "Bank", repository: address, isComplete: true, receipt }],
    answersLeft: [20n],
  } as unknown as Answered;
}

describe("an answer for people", () => {
  it("is a table with margins, bars with whiskers, and words that say what they mean", () => {
    const terminal = new RecordedTerminal();
    terminal.columns = 72;
    expect(answerText(answered(), { names: new Map() }, { terminal, paint: plain })).to.equal(
      `Union wage premium
From Bank (wages, synthetic).

┌─────────┬─────────┬─────┬─────────┬───────┐
│ member  │  people │   ± │    wage │     ± │
├─────────┼─────────┼─────┼─────────┼───────┤
│ no      │     440 │ ± 4 │     8.6 │ ± 0.6 │
│ yes *   │      97 │ ± 4 │    10.7 │ ± 1.5 │
│ unknown │ too few │     │ too few │       │
└─────────┴─────────┴─────┴─────────┴───────┘

people
no       █████████████████████████████████████████████████████████●  440
yes      ████████████●                                                97
unknown  too few people to show

wage
no       ██████████████████████████████████████├─●─┤                 8.6
yes      ███████████████████████████████████████████├──────●─────┤  10.7
unknown  too few people to show

± : 95% of the time the noise alone stays within it. It says nothing
about how the people in the data were chosen.
"too few": so few people by the noisy count that nothing is shown.
* : too few people at some of the repositories; the numbers are of the
others.
Without Hospital (wages-two): https://hospital.test cannot be reached.
(peer_unreachable)
Bank: cost epsilon 5.222 of privacy (delta 10^-6; 0.5 rho); about 20
more answers like this.

Receipt of Bank (0xababab…abab): r.json
Check it: npx itd receipt verify r.json`,
    );
  });

  it("says what somebody loses whom several repositories know", () => {
    const one = answered();
    const terminal = { ...new RecordedTerminal(), columns: 200 } as RecordedTerminal;
    const both = { ...one, answered: [one.answered[0]!, one.answered[0]!], answersLeft: [20n, 20n] };
    expect(answerText(both, { names: new Map() }, { terminal, paint: plain })).to.match(
      /Somebody whose rows both have loses epsilon \d\.\d+ \(1 rho\)\./,
    );
    expect(answerText(both, { names: new Map() }, { terminal, paint: plain })).to.contain(
      "The noise of 2 repositories is put together in it.",
    );
    expect(answerText(one, { names: new Map() }, { terminal, paint: plain })).not.to.contain("Somebody");
  });

  it("says what a median is: one of the candidates, without a margin; a date has no bar", () => {
    const terminal = new RecordedTerminal();
    terminal.columns = 100;
    const medians: PresentedAnswer = {
      columns: [
        { name: "sex", kind: "key", type: "text", scale: 0, spacing: null, rankMargin: null },
        { name: "wage", kind: "quantile", type: "number", scale: 2, spacing: "0.10", rankMargin: 40 },
        { name: "since", kind: "quantile", type: "date", scale: 0, spacing: "7", rankMargin: 12 },
      ],
      rows: [
        { ...presented.rows[0]!, values: ["female", "7.20", "1984-05-01"], margins: [null, null, null] },
        { ...presented.rows[0]!, values: ["male", "8.90", "1983-02-01"], margins: [null, null, null] },
      ],
    };
    const result = { ...answered(), presented: medians, failures: [] };
    const text = answerText(result, { names: new Map() }, { terminal, paint: plain });
    expect(text).to.contain("│ female │ 7.20 │ 1984-05-01 │");
    const two = { ...result, answered: [result.answered[0]!, result.answered[0]!], answersLeft: [20n, 20n] };
    const apart = answerText(two, { names: new Map() }, { terminal, paint: plain });
    expect(apart, "each row has the noise of one repository").to.not.contain("put together");
    expect(text.replaceAll(/\s+/g, " ")).to.contain(
      "wage: one of values 0.10 apart; 95% of the time its rank is off by at most 40 rows",
    );
    expect(text.replaceAll(/\s+/g, " ")).to.contain("since: one of values 7 days apart; 95%");
    expect(text).to.match(/^wage\nfemale {2}█/m);
    expect(text).to.not.contain("NaN");
    const { answer, uncertainty } = answerDocument(result);
    expect(answer[0]).to.deep.equal({ sex: "female", wage: 7.2, since: "1984-05-01" });
    expect(uncertainty).to.deep.equal({
      confidence: 0.95,
      margins: [
        { wage: null, since: null },
        { wage: null, since: null },
      ],
      spacing: { wage: 0.1, since: 7 },
    });
  });

  it("says so where no group is shown", () => {
    const terminal = new RecordedTerminal();
    const result = { ...answered(), presented: { ...presented, rows: [] } };
    const text = answerText(result, { names: new Map() }, { terminal, paint: plain });
    expect(text).to.contain("No group is shown");
    expect(answerDocument(result).answer).to.deep.equal([]);
  });

  it("leaves colours out unless they are asked for", () => {
    const terminal = new RecordedTerminal();
    const text = (hasColour: boolean) =>
      answerText(answered(), { names: new Map() }, { terminal, paint: painter(hasColour) });
    expect(text(false)).to.not.contain("\u001b");
    expect(text(true)).to.contain("\u001b[1m");
  });

  it("fits the terminal", () => {
    for (const columns of [60, 80, 132]) {
      const terminal = new RecordedTerminal();
      terminal.columns = columns;
      const text = answerText(answered(), { names: new Map() }, { terminal, paint: plain });
      for (const line of text.split("\n")) expect(widthOf(line), line).to.be.at.most(columns);
    }
  });
});

describe("an answer for programs", () => {
  it("has numbers as numbers, margins beside them, the charge, the receipts and who failed", () => {
    expect(answerDocument(answered())).to.deep.equal({
      algorithm: { name: "union-wage-premium", version: 1 },
      purpose: "dpv:ResearchAndDevelopment",
      answer: [
        { member: "no", people: 440, wage: 8.6053 },
        { member: "yes", people: 97, wage: 10.6615, partial: true },
        { member: "unknown", people: null, wage: null, suppressed: true },
      ],
      uncertainty: {
        confidence: 0.95,
        margins: [
          { people: 4, wage: 0.5114 },
          { people: 4, wage: 1.4787 },
          { people: null, wage: null },
        ],
      },
      charge: {
        microRho: "500000",
        epsilon: 5.222,
        delta: 1e-6,
        repositories: [{ repository: address, microRho: "500000", epsilon: 5.222, answersLeft: 20 }],
      },
      receipt: "r.json",
      receipts: ["r.json"],
      receiptsPending: [],
      repositories: [{ name: "Bank", address, dataset: "wages", synthetic: true, receipt: "r.json" }],
      failures: [
        {
          publisher: "Hospital",
          repository: address,
          dataset: "wages-two",
          code: "peer_unreachable",
          message: "https://hospital.test cannot be reached.",
        },
      ],
    });
  });
});

describe("a table", () => {
  it("gives way in its widest columns, between words, and never in what people type", () => {
    const columns = [
      { title: "name", isWhole: true },
      { title: "what it says" },
      { title: "n", align: "right" as const },
    ];
    const rows = [["visits-by-department", "Hospital visits, stay and cost by department", "12"]];
    expect(renderTable(columns, rows, 50, plain)).to.equal(
      `┌──────────────────────┬────────────────────┬────┐
│ name                 │ what it says       │  n │
├──────────────────────┼────────────────────┼────┤
│ visits-by-department │ Hospital visits,   │ 12 │
│                      │ stay and cost by   │    │
│                      │ department         │    │
└──────────────────────┴────────────────────┴────┘`,
    );
  });

  it("is never wider than the terminal where its columns can be narrow", () => {
    const cell = fc.string({ maxLength: 60 }).map((text) => text.replace(/[^ -~]/g, "x"));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell), { maxLength: 6 }),
        fc.integer({ min: 40, max: 120 }),
        (rows, width) => {
          const columns = ["a", "b", "c"].map((title) => ({ title }));
          const lines = renderTable(columns, rows, width, plain).split("\n");
          expect(new Set(lines.map(widthOf)).size).to.equal(1);
          expect(widthOf(lines[0]!)).to.be.at.most(width);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("keeps all words of a paragraph, in lines that fit", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), (words) => {
        const lines = wrapText(words.join(" "), 30, "  ").split("\n");
        expect(lines.flatMap((line) => line.trim().split(" "))).to.deep.equal(words);
        for (const line of lines) expect(line.length).to.be.at.most(30);
      }),
    );
  });
});

describe("bars", () => {
  const chart = (numbers: [string, string | null][], width = 40) =>
    barChart(
      {
        columns: [
          { name: "k", kind: "key", type: "text", scale: 0, spacing: null, rankMargin: null },
          { name: "n", kind: "count", type: "number", scale: 0, spacing: null, rankMargin: null },
        ],
        rows: numbers.map(([value, margin], i) => ({
          values: [String(i), value],
          margins: [null, margin],
          suppressed: false,
          partial: false,
        })),
      },
      1,
      width,
      plain,
    );

  it("reach to both sides of zero", () => {
    expect(
      chart([
        ["-50", "10"],
        ["100", "20"],
      ]),
    ).to.equal(
      `n
0  ├●─┤███████                       -50
1            ██████████████├───●──┤  100`,
    );
  });

  it("stay inside their width for any numbers", () => {
    const number = fc.integer({ min: -1_000_000, max: 1_000_000 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(number, fc.nat(1_000_000)), { minLength: 1, maxLength: 8 }),
        (numbers) => {
          const text = chart(
            numbers.map(([value, margin]) => [String(value), String(margin)]),
            60,
          )!;
          for (const line of text.split("\n")) expect(widthOf(line)).to.be.at.most(60);
        },
      ),
    );
  });

  it("are drawn for zeros too", () => {
    expect(chart([["0", null]])).to.be.a("string");
  });
});

describe("an answer's table", () => {
  it("is turned where a few groups have more numbers than fit beside each other", () => {
    const names = ["people", "average_wage", "median_wage", "longest_employment"];
    const numbers = {
      values: ["440", "8.6053", null, "1968-03-01"],
      margins: ["4", "0.5114", null, null],
      suppressed: false,
      partial: false,
    };
    const wide: PresentedAnswer = {
      columns: names.map((name, i) => ({
        ...{ name, kind: i < 2 ? "average" : "quantile", type: i < 3 ? "number" : "date" },
        ...{ scale: 0, spacing: null, rankMargin: null },
      })),
      rows: [numbers],
    };
    const units = new Map([["average_wage", "USD"]]);
    expect(answerTable(wide, 60, plain, units)).to.equal(
      `┌────────────────────┬────────────┬───────┐
│                    │        all │     ± │
├────────────────────┼────────────┼───────┤
│ people             │        440 │   ± 4 │
│ average_wage (USD) │        8.6 │ ± 0.6 │
│ median_wage        │          – │       │
│ longest_employment │ 1968-03-01 │       │
└────────────────────┴────────────┴───────┘`,
    );
    expect(answerTable(wide, 120, plain, units)).to.contain("│ people │   ± │ average_wage (USD) │");
    const key = { ...wide.columns[0]!, name: "sex", kind: "key" as const, type: "text" as const };
    const rowOf = (label: string, suppressed: boolean): PresentedAnswer["rows"][number] => ({
      values: [label, ...numbers.values.map((value) => (suppressed ? null : value))],
      margins: [null, ...numbers.margins.map((margin) => (suppressed ? null : margin))],
      suppressed,
      partial: !suppressed,
    });
    const grouped = { columns: [key, ...wide.columns], rows: [rowOf("no", false), rowOf("yes", true)] };
    const text = answerTable(grouped, 70, plain);
    expect(text).to.contain("no * │     ± │     yes │");
    expect(text).to.contain("│ people             │        440 │   ± 4 │ too few │");
    const many = { ...grouped, rows: Array.from({ length: 4 }, (_, i) => rowOf(String(i), false)) };
    expect(answerTable(many, 70, plain)).to.contain("│ 0 *");
  });

  it("has no column of margins where nothing has one", () => {
    const exact = {
      ...presented,
      rows: presented.rows.map((row) => ({ ...row, margins: [null, null, null] })),
    };
    expect(answerTable(exact, 80, plain)).to.not.contain("±");
  });
});

describe("names and numbers", () => {
  it("are short where people read them", () => {
    expect(shortHex(hash("a"))).to.equal("0xaaaaaa…aaaa");
    expect(rhoText("500000")).to.equal("0.5");
    expect(rhoText(20_000_000n)).to.equal("20");
    expect(rhoText("1")).to.equal("0.000001");
    expect(slug("St. Luke's Hospital")).to.equal("st-lukes-hospital");
    expect(timeText(0)).to.equal("1970-01-01 00:00 UTC");
  });
});

describe("where receipts go", () => {
  const ended = (publisher: string, question: string, name = "wages") => ({
    offer: offer(publisher, name),
    transcript: { request: { question: hash(question) } },
  });
  const client = { receiptsFolder: "/receipts", clock: { nowMs: () => 0, sleep: async () => undefined } };
  const files = (list: ReturnType<typeof ended>[], file?: string) =>
    receiptFiles(list as unknown as Parameters<typeof receiptFiles>[0], file, client);

  it("is the file that was named for the first, and beside it with the publisher's name for others", () => {
    const list = [
      ended("Bank", "1"),
      ended("St. Luke's", "2"),
      ended("St. Luke's", "3", "visits"),
      ended("St. Luke's", "4", "visits"),
    ];
    expect(files(list, "out/r.json")).to.deep.equal([
      "out/r.json",
      "out/r-st-lukes.json",
      "out/r-st-lukes-visits.json",
      `out/r-${"4".repeat(16)}.json`,
    ]);
  });

  it("is a file of its own in the receipts' folder for each where none was named", () => {
    expect(files([ended("Bank", "1"), ended("Bank", "2")])).to.deep.equal([
      "/receipts/1970-01-01-wages-bank-11111111.json",
      "/receipts/1970-01-01-wages-bank-22222222.json",
    ]);
  });
});
