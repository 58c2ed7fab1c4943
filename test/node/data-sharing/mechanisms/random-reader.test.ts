import { expect } from "chai";
import { RandomReader, withReader } from "../../../../node/data-sharing/mechanisms/random-reader.ts";
import type { Randomness } from "../../../../node/data-sharing/ports.ts";

/** Counts up, and remembers each block that it gave out. */
function counting(): Randomness & { blocks: Uint8Array[] } {
  const blocks: Uint8Array[] = [];
  let next = 0;
  return {
    blocks,
    bytes: (count) => {
      const block = Uint8Array.from({ length: count }, () => next++ % 251);
      blocks.push(block);
      return block;
    },
  };
}

describe("a reader of random bytes", () => {
  it("gives out each byte once, in order, over blocks of growing size", () => {
    const source = counting();
    const reader = new RandomReader(source);
    for (let i = 0; i < 20_000; i++) expect(reader.next()).to.equal(i % 251);
    expect(source.blocks.map((block) => block.length).slice(0, 8)).to.deep.equal([
      64, 128, 256, 512, 1024, 2048, 4096, 4096,
    ]);
  });

  it("takes nothing before it is asked", () => {
    const source = counting();
    withReader(source, () => undefined);
    expect(source.blocks).to.deep.equal([]);
  });

  it("erases each byte as it is given out", () => {
    const source = counting();
    const reader = new RandomReader(source);
    for (let i = 0; i < 10; i++) reader.next();
    expect([...source.blocks[0]!.subarray(0, 12)]).to.deep.equal([...new Array(10).fill(0), 10, 11]);
  });

  it("erases what was not used when the work ends, also when it fails, and never gives it out", () => {
    const source = counting();
    let kept: RandomReader | undefined;
    const work = (reader: RandomReader) => {
      kept = reader;
      reader.next();
      throw new Error("stopped");
    };
    expect(() => withReader(source, work)).to.throw("stopped");
    expect(source.blocks[0]!.every((byte) => byte === 0)).to.equal(true);
    expect(kept!.next()).to.equal(64);
  });
});
