/**
 * How long an answer takes, with and without a person of many rows, each of which is joined with each. Replies leave on fixed slots, so the
 * times should come from one distribution.
 */
import { randomInt } from "node:crypto";
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleAlgorithm } from "../support/cells.ts";
import { neighbours } from "../support/neighbours.ts";
import { replyOf, valuesOf } from "../support/reply.ts";
import { falseAlarmMax, rankSumProbability } from "../support/statistics.ts";

/** Of one person in one table; joined they are as many as a plan may have. */
const rowsPerPerson = 100;
/** Clocks of both sides may differ by so much within a slot. */
const slackMs = 20;
const question = peopleAlgorithm(
  "attack-timing",
  `SELECT MEDIAN(a.value + b.value) AS one, MEDIAN(a.value * 2 + b.value) AS two,
    MEDIAN(a.value + b.value * 3) AS three, VARIANCE(a.value * b.value) AS four
  FROM people a JOIN people b ON a.person = b.person WHERE a.fresh >= param.fresh`,
  { microRho: 20_000 },
);

export const timing: Attack = {
  name: "timing",
  what: "reply times with and without a person of 100 rows who are joined with each other",
  bound:
    "no reply before the end of a slot; -log10 p of a rank test (Mann and Whitney, two sides) at most 6; false alarm 1e-6",
  isPatient: true,
  async run(target, size) {
    // Each round has one of each in random order, so when it is over says nothing of which is which.
    const [roundsMin, roundsMax, forMs] = size === "fast" ? [8, 15, 15_000] : [50, 100, 60_000];
    // Longer than the slow answer takes, also on a busy machine.
    const replySlotMs = size === "fast" ? 1_000 : 2_000;
    const daemon = await target.startDaemon({ settings: { "questions.replySlotMs": replySlotMs } });
    const rows = Array.from({ length: rowsPerPerson }, () => ({ cell: 0, value: 1 }));
    const others = [{ cell: 0 }, { cell: 0 }];
    const pair = await neighbours(daemon, others, rows, { cells: 1, over: { rowsPerPerson } });
    const times: { isWith: boolean; tookMs: number }[] = [];
    const startedMs = performance.now();
    const isEnough = (round: number) =>
      round >= roundsMax || (round >= roundsMin && performance.now() - startedMs > forMs);
    for (let round = -2; !isEnough(round); round++) {
      const order = randomInt(2) === 1 ? [true, false] : [false, true];
      for (const isWith of order) {
        const offer = isWith ? pair.with : pair.without;
        await daemon.field.publish(question);
        const asking = await daemon.question(asked(question, { fresh: fresh() }), offer);
        const reply = replyOf(await daemon.answer(asking, await daemon.tokenOf(asking)));
        valuesOf(reply);
        // The first rounds open files.
        if (round >= 0) times.push({ isWith, tookMs: reply.tookMs });
      }
    }
    const timesOf = (side: boolean) =>
      times.flatMap(({ isWith, tookMs }) => (isWith === side ? [tookMs] : [])).sort((a, b) => a - b);
    const p = rankSumProbability(timesOf(true), timesOf(false));
    const medianOf = (side: boolean) => timesOf(side)[Math.floor(times.length / 4)]!.toFixed(1);
    await daemon.stop();
    const early = times.filter(({ tookMs }) => tookMs < replySlotMs - slackMs).length;
    return atMost(
      // A reply that waits for no slot tells how long its answer took, whether or not this question shows it.
      early > 0 ? Number.MAX_VALUE : -Math.log10(p),
      -Math.log10(falseAlarmMax),
      "-log10 p",
      `${early} of ${times.length} replies early; medians ${medianOf(true)} ms with and ${medianOf(false)} ms without, of ${times.length / 2} each; slots of ${replySlotMs} ms`,
    );
  },
};
