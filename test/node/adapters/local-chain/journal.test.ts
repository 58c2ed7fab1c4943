import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import type { JournalRecord } from "../../../../node/adapters/local-chain/journal.ts";
import { Journal } from "../../../../node/adapters/local-chain/journal.ts";
import type { TrustedDataError } from "../../../../node/errors.ts";
import { temporaryFolder } from "./support/laboratory.ts";

const settings: JournalRecord = {
  settings: { format: 1, chainId: 31337, hardfork: "osaka", genesisTimestamp: 1 },
};
const blocks: JournalRecord[] = [1, 2, 3].map((block) => ({
  block,
  timestamp: block + 1,
  hash: `0x${"ab".repeat(32)}`,
  transactions: block === 2 ? ["0x02f8"] : [],
}));
const all = [settings, ...blocks];

describe("the journal of the local chain", () => {
  let file: string;
  let remove: () => void;
  let whole: Buffer;

  beforeEach(async () => {
    const temporary = temporaryFolder();
    remove = temporary.remove;
    file = join(temporary.folder, "chain.journal");
    await appended(all);
    whole = readFileSync(file);
  });

  afterEach(() => remove());

  async function appended(records: JournalRecord[]): Promise<void> {
    const { journal } = await Journal.open(file);
    await journal.append(records);
    await journal.close();
  }

  async function read(): Promise<JournalRecord[] | string> {
    try {
      const { journal, records } = await Journal.open(file);
      await journal.close();
      return records;
    } catch (error) {
      return (error as TrustedDataError).code;
    }
  }

  it("gives back what was appended, and can be read by its owner only", async () => {
    expect(await read()).to.deep.equal(all);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it("keeps every whole record wherever a crash cuts it, and can be appended to", async () => {
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const kept = whole.subarray(0, length).filter((byte) => byte === 0x0a).length;
      expect(await read()).to.deep.equal(all.slice(0, kept));
      if (length % 7 !== 0) continue;
      await appended([blocks[2]!]);
      expect(await read()).to.deep.equal([...all.slice(0, kept), blocks[2]]);
    }
  });

  it("cuts off a last line of which pages never reached the disk", async () => {
    const start = whole.lastIndexOf("\n", -2) + 1;
    writeFileSync(
      file,
      Buffer.concat([whole.subarray(0, start), Buffer.alloc(40), whole.subarray(start + 40)]),
    );
    expect(await read()).to.deep.equal(all.slice(0, -1));
    writeFileSync(file, Buffer.concat([whole, Buffer.alloc(100)]));
    expect(await read()).to.deep.equal(all);
  });

  it("never takes damage for a crash, except to the last line's end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 2), fc.integer({ min: 0, max: 7 }), async (place, bit) => {
        const damaged = Buffer.from(whole);
        damaged[place]! ^= 1 << bit;
        writeFileSync(file, damaged);
        const lastLine = whole.lastIndexOf("\n", -2);
        if (place > lastLine && damaged[place] === 0) return;
        expect(await read()).to.equal("journal_damaged");
      }),
      { numRuns: 300 },
    );
  });

  it("says which line is damaged, and what to do", async () => {
    const damaged = Buffer.from(whole);
    damaged[whole.indexOf("\n") + 30]! ^= 1;
    writeFileSync(file, damaged);
    const error: TrustedDataError = await Journal.open(file).then(
      () => expect.fail("it was accepted"),
      (reason) => reason,
    );
    expect(error.code).to.equal("journal_damaged");
    expect(error.fields).to.deep.equal({ file, line: "2" });
    expect(error.message).to.contain("--fresh");
    expect(readFileSync(file)).to.deep.equal(damaged);
  });

  it("refuses to go on after a write failed", async () => {
    const { journal } = await Journal.open(file);
    await journal.close();
    for (let attempt = 0; attempt < 2; attempt++)
      expect(await journal.append(all).catch((error: TrustedDataError) => error.code)).to.equal(
        "journal_failed",
      );
    expect(readFileSync(file)).to.deep.equal(whole);
  });
});
