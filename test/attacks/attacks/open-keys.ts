/**
 * Keys of an open domain, which are private themselves: people who are alone under a key of their own. The key must not be shown, as it could
 * not be there without them, but with the delta that tau is made for (1e-15 a micro-rho). And keys of seven people, of whom one may be in
 * or not: whether they are shown tells no more than the charge allows.
 */
import { type Attack, atMost } from "../support/attack.ts";
import { asked, coins, fresh, guesses, peopleAlgorithm, peopleDataset } from "../support/cells.ts";
import { openLabelsOf } from "../support/reply.ts";
import { empiricalRho } from "../support/statistics.ts";

const microRho = 500_000;
const lone = 400;
const firstLone = 1_000_000;
const near = 400;
const firstNear = 1_000;
/** Tau is 8 at this charge. */
const peopleNear = 7;
const question = peopleAlgorithm(
  "attack-open-keys",
  "SELECT label, COUNT(*) AS people FROM people WHERE fresh >= param.fresh GROUP BY label",
  { microRho },
);

export const openKeys: Attack = {
  name: "open-keys",
  what: "people who are alone under a key of an open domain, or bring one near the threshold",
  bound:
    "keys of one person shown: 0; empirical rho of the others over the charge at most 1; false alarm 1e-6 and 400 deltas of 5e-10",
  async run(target, size) {
    const answers = size === "fast" ? 1 : 5;
    const daemon = await target.daemon();
    const isIn = coins(lone);
    const tips = coins(near);
    // Two keys that everybody knows, so that something is shown.
    const people = [
      ...Array.from({ length: 400 }, (_, i) => ({ cell: 0, label: i % 2 })),
      ...isIn.flatMap((is, i) => (is ? [{ cell: 0, label: firstLone + i }] : [])),
      ...tips.flatMap((is, i) =>
        Array.from({ length: peopleNear + Number(is) }, () => ({ cell: 0, label: firstNear + i })),
      ),
    ];
    const offer = await daemon.addDataset(peopleDataset(people, { cells: 1, hasLabel: true }));
    let [shown, known, ratio] = [0, 0, 0];
    for (let answer = 0; answer < answers; answer++) {
      const reply = await daemon.ask(asked(question, { fresh: fresh() }), offer);
      const labels = openLabelsOf(reply).map(([label]) => Number(label));
      shown += labels.filter((label) => label >= firstLone).length;
      known += labels.filter((label) => label < firstNear).length;
      const named = new Set(labels);
      const told = guesses(tips, (i) => Number(named.has(firstNear + i)), 1);
      ratio = Math.max(ratio, empiricalRho(told, answers) / (microRho / 1e6));
    }
    if (known !== 2 * answers)
      throw new Error(`keys of 200 people are shown ${known} times in ${answers} answers`);
    const there = isIn.filter(Boolean).length;
    return atMost(
      shown > 0 ? 1 + shown : ratio,
      1,
      "of the charge",
      `${shown} of ${there} lone keys shown, in ${answers} answers; others tell ${ratio.toPrecision(2)} of the charge`,
    );
  },
};
