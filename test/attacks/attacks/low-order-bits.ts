/**
 * Low-order bits (Mironov 2012): noise made in floating point is a multiple of a power of two where it is large, so that the last bits of a
 * released sum are those of the exact one. Noise here is about 2^60, far beyond the 53 bits of a double.
 */
import { randomInt } from "node:crypto";
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import { valuesOf } from "../support/reply.ts";
import { binomialUpperTail, falseAlarmMax } from "../support/statistics.ts";

/** The least that two vectors can cost: the largest noise. */
const microRho = 2;
const valueBound = 2 ** 47;
/** Declared, which makes the noise sixteen times larger; everyone has one row. */
const rowsPerPerson = 16;
/** Last bits that the attacker looks at. */
const modulus = 16n;

const sums = peopleAlgorithm(
  "attack-large-sums",
  "SELECT cell, SUM(value) AS total FROM people WHERE fresh >= param.fresh GROUP BY cell",
  { microRho },
);

const counts = peopleAlgorithm(
  "attack-counts-off-the-grid",
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh GROUP BY cell",
  { microRho: 500_000 },
);

export const lowOrderBits: Attack = {
  name: "low-order-bits",
  what: "the last bits of sums under large noise (Mironov), and numbers off the grid",
  bound: "sums whose last four bits are the exact ones: one in 16, by the binomial tail; false alarm 1e-6",
  async run(target, size) {
    const cells = size === "fast" ? 500 : 4_000;
    const perCell = 3;
    const daemon = await target.daemon();
    const people = Array.from({ length: perCell * cells }, (_, i) => ({
      cell: i % cells,
      value: randomInt(valueBound),
    }));
    const exact = new Array<bigint>(cells).fill(0n);
    for (const { cell, value } of people) exact[cell]! += BigInt(value);
    const offer = await daemon.addDataset(
      peopleDataset(people, { cells, valueBounds: [0, valueBound], over: { rowsPerPerson } }),
    );
    const reply = await daemon.ask(asked(sums, { fresh: fresh() }), offer);
    // About half of the cells are suppressed by the noise of their count.
    const shown = valuesOf(reply)
      .at(-1)!
      .flatMap((value, cell) => (value === null ? [] : [{ value, cell }]));
    const hits = shown.filter(
      ({ value, cell }) => isOnGrid(value) && (BigInt(value) - exact[cell]!) % modulus === 0n,
    );
    // Where the noise is small a double shows its fraction.
    const small = await daemon.ask(asked(counts, { fresh: fresh() }), offer);
    const released = [...valuesOf(reply), ...valuesOf(small)].flat();
    const off = released.filter((value) => value !== null && !isOnGrid(value)).length;
    let bound = Math.floor(shown.length / Number(modulus));
    while (binomialUpperTail(bound + 1, shown.length, 1 / Number(modulus)) > falseAlarmMax) bound++;
    return atMost(
      // One number off the grid is too many.
      off > 0 ? bound + off : hits.length,
      bound,
      "sums",
      `${hits.length} of ${shown.length} sums end like the exact ones; ${off} of ${released.length} numbers are no integers`,
    );
  },
};

function isOnGrid(value: string): boolean {
  return /^-?\d+$/.test(value);
}
