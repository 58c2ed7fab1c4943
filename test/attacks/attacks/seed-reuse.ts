/**
 * Noise after a crash: a process that is killed between answers, and asked about the same people again. Equal noise, or noise that goes
 * together, would fall out of a difference of two answers.
 */
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, numberOf, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import { valuesOf } from "../support/reply.ts";
import { correlation } from "../support/statistics.ts";

const microRho = 5_000;
const crowd = 60;
const cells = 400;
const question = peopleAlgorithm(
  "attack-seed-reuse",
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh GROUP BY cell",
  { microRho },
);

/** Of independent noise a correlation goes beyond 6 / sqrt(n) once in 5e8 pairs. */
const deviations = 6;

export const seedReuse: Attack = {
  name: "seed-reuse",
  what: "noise before and after SIGKILL, and of two datasets in one process",
  bound: "correlation of any two draws of noise at most 6 / sqrt(n); false alarm 1e-6",
  isPatient: true,
  async run(target, size) {
    const restarts = size === "fast" ? 1 : 6;
    const daemon = await target.startDaemon();
    const people = Array.from({ length: cells * crowd }, (_, i) => ({ cell: i % cells }));
    // A crash costs what is reserved.
    const over = {
      budget: {
        totalMicroRho: String(1_000 * microRho),
        perQuerierMicroRho: String(1_000 * microRho),
        reservedMicroRho: String(10 * microRho),
      },
    };
    const offers = await Promise.all([
      daemon.addDataset(peopleDataset(people, { cells, over })),
      daemon.addDataset(peopleDataset(people, { cells, over })),
    ]);
    const draws: number[][] = [];
    for (let life = 0; life <= restarts; life++) {
      if (life > 0) {
        await daemon.kill();
        await daemon.start();
      }
      // First the same plan of both: neither plan nor dataset nor turn may decide the noise.
      const same = asked(question, { fresh: fresh() });
      for (const [offer, asking] of [
        [offers[0]!, same],
        [offers[1]!, same],
        [offers[0]!, asked(question, { fresh: fresh() })],
      ] as const) {
        const reply = await daemon.ask(asking, offer);
        draws.push(valuesOf(reply)[0]!.map((value) => numberOf(value) - crowd));
      }
    }
    let [largest, equal] = [0, 0];
    for (const [i, one] of draws.entries())
      for (const other of draws.slice(0, i)) {
        largest = Math.max(largest, Math.abs(correlation(one, other)));
        equal += Number(one.every((value, cell) => value === other[cell]));
      }
    await daemon.stop();
    return atMost(
      largest,
      deviations / Math.sqrt(cells),
      "correlation",
      `${draws.length} draws of ${cells} numbers over ${restarts} crashes; ${equal} pairs are equal`,
    );
  },
};
