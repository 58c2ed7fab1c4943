/** Two datasets of one daemon that differ in one person: what a question about them may differ in is noise. */
import type { DatasetOffer } from "../../../node/data-sharing/discover.ts";
import { type PeopleOptions, type Person, peopleDataset } from "./cells.ts";
import type { Daemon } from "./daemon.ts";

export interface Neighbours {
  with: DatasetOffer;
  without: DatasetOffer;
}

/** `target` may have several rows, all of one person. */
export async function neighbours(
  daemon: Daemon,
  others: readonly Person[],
  target: readonly Person[],
  options: Omit<PeopleOptions, "nameOf">,
): Promise<Neighbours> {
  const nameOf = ({ target: isTarget }: Person, row: number) => (isTarget === 1 ? "target" : `person-${row}`);
  const marked = target.map((person) => ({ ...person, target: 1 }));
  const [withTarget, without] = await Promise.all([
    daemon.addDataset(peopleDataset([...others, ...marked], { ...options, nameOf })),
    daemon.addDataset(peopleDataset(others, { ...options, nameOf })),
  ]);
  return { with: withTarget, without };
}
