/**
 * How long an answer takes, with and without a person who has ten thousand rows, under a condition that is slow for each row. Replies leave
 * on fixed slots, so the times should come from one distribution.
 */
import { randomInt } from "node:crypto";
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh } from "../support/cells.ts";
import { neighbours } from "../support/neighbours.ts";
import { replyOf, valuesOf } from "../support/reply.ts";
import { slowCount } from "../support/slow-question.ts";
import { falseAlarmMax, hypergeometricUpperTail } from "../support/statistics.ts";

/** Longer than the slow answer takes on a busy machine. */
const replySlotMs = 250;
const rowsPerPerson = 10_000;
const question = slowCount("attack-timing", 20_000);

export const timing: Attack = {
  name: "timing",
  what: "reply times with and without a person of ten thousand rows, under a slow condition",
  bound: "-log10 p of a median test (Fisher, two sides) at most 6; false alarm 1e-6",
  async run(target, size) {
    const rounds = size === "fast" ? 13 : 100;
    const daemon = await target.startDaemon({ settings: { "questions.replySlotMs": replySlotMs } });
    const rows = Array.from({ length: rowsPerPerson }, () => ({ cell: 0, value: 1 }));
    const others = [{ cell: 0 }, { cell: 0 }];
    const pair = await neighbours(daemon, others, rows, { cells: 1, over: { rowsPerPerson } });
    const times: { isWith: boolean; tookMs: number }[] = [];
    for (let round = -2; round < rounds; round++) {
      const order = randomInt(2) === 1 ? [true, false] : [false, true];
      for (const isWith of order) {
        const offer = isWith ? pair.with : pair.without;
        await daemon.field.publish(question);
        const asking = await daemon.question(asked(question, { fresh: fresh() }), offer);
        const { text } = await daemon.authorise(asking);
        const reply = replyOf(await daemon.answer(asking, JSON.parse(text).token));
        valuesOf(reply);
        // The first rounds open files.
        if (round >= 0) times.push({ isWith, tookMs: reply.tookMs });
      }
    }
    const sorted = times.toSorted((a, b) => a.tookMs - b.tookMs);
    const slowHalf = sorted.slice(rounds).filter(({ isWith }) => isWith).length;
    const tail = (hits: number) => hypergeometricUpperTail(hits, rounds, rounds, 2 * rounds);
    const p = Math.min(1, 2 * Math.min(tail(slowHalf), tail(rounds - slowHalf)));
    const medianOf = (side: boolean) =>
      sorted.filter(({ isWith }) => isWith === side)[Math.floor(rounds / 2)]!.tookMs.toFixed(1);
    return atMost(
      -Math.log10(p),
      -Math.log10(falseAlarmMax),
      "-log10 p",
      `medians ${medianOf(true)} ms with and ${medianOf(false)} ms without, of ${rounds} each; slots of ${replySlotMs} ms`,
    );
  },
};
