/**
 * A state folder that is put back from a copy: the daemon does not know what it answered since. Whatever it says next must not be fresh
 * noise that nobody paid for.
 */
import { cpSync, renameSync, rmSync } from "node:fs";
import { type Attack, atMost } from "../support/attack.ts";
import { asked, fresh, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import type { Daemon } from "../support/daemon.ts";
import { type Reply, valuesOf } from "../support/reply.ts";

const microRho = 5_000;
const cells = 50;
const anchorMs = 2_000;
const question = peopleAlgorithm(
  "attack-restored-backup",
  "SELECT cell, COUNT(*) AS people FROM people WHERE fresh >= param.fresh GROUP BY cell",
  { microRho },
);

export const restoredBackup: Attack = {
  name: "restored-backup",
  what: "a copy of the running state put back at some moment after later answers (20 moments)",
  bound: "answers that no budget paid for: 0; no false alarms",
  isPatient: true,
  async run(target, size) {
    const moments = size === "fast" ? 1 : 20;
    const settings = { "anchoring.intervalSeconds": anchorMs / 1000 };
    const daemon = await target.startDaemon({ settings });
    const people = Array.from({ length: 100 * cells }, (_, i) => ({ cell: i % cells }));
    const offer = await daemon.addDataset(
      peopleDataset(people, {
        cells,
        over: {
          budget: {
            totalMicroRho: String(2_000 * microRho),
            perQuerierMicroRho: String(2_000 * microRho),
            reservedMicroRho: String(20 * microRho),
          },
        },
      }),
    );
    const paid: Reply[] = [];
    const ask = async (at: number) => {
      const reply = await daemon.ask(asked(question, { fresh: at }), offer);
      valuesOf(reply);
      paid.push(reply);
      return reply;
    };
    let unpaid = 0;
    for (let moment = 0; moment < moments; moment++) {
      const [before, after] = [fresh(), fresh()];
      const kept = await ask(before);
      // Half of them just after a batch, so that nothing but the reservation tells of what comes next.
      if (moment % 2 === 0) await daemon.nextBatch();
      else await new Promise((resolve) => setTimeout(resolve, (moment * anchorMs) / moments));
      const copy = copied(daemon);
      const lost = await ask(after);
      await daemon.kill();
      putBack(daemon, copy);
      await daemon.start();
      // All that ever left is paid for.
      const charged = paid.reduce((sum, reply) => sum + reply.chargeMicroRho, 0n);
      if ((await daemon.spent(offer)) < charged) unpaid++;
      for (const [at, first] of [
        [before, kept],
        [after, lost],
      ] as const) {
        const again = await ask(at);
        if (again.answerText !== first.answerText && again.chargeMicroRho === 0n) unpaid++;
      }
    }
    await daemon.stop();
    return atMost(unpaid, 0, "answers", `${paid.length} answers around ${moments} restored copies`);
  },
};

/** While it runs, but between two of its steps. */
function copied({ process: daemon, stateFolder }: Daemon): string {
  const folder = `${stateFolder}-copy`;
  process.kill(daemon.pid, "SIGSTOP");
  cpSync(stateFolder, folder, { recursive: true });
  process.kill(daemon.pid, "SIGCONT");
  return folder;
}

function putBack({ stateFolder }: Daemon, copy: string): void {
  rmSync(stateFolder, { recursive: true });
  renameSync(copy, stateFolder);
}
