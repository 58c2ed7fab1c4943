/**
 * The five organisations of the Living Lab: who they are, what each of them does, vets and holds. All of it is made up but the wages, which
 * are a real survey's (data/wages.ts): the lab gave one half of its people to the bank and the other to the hospital.
 */
import type { MemberRole } from "../trust-framework/roles.ts";

export type OrganisationId = "operator" | "bank" | "hospital" | "city" | "university";

/** Classes of data for which algorithms are written and vetters certified; `own-data` is what users bring (own-data.ts). */
export const dataClasses = ["wages", "visits", "trips", "own-data"] as const;
export type DataClass = (typeof dataClasses)[number];

export interface Organisation {
  id: OrganisationId;
  title: string;
  /** What it does in the lab, for a newcomer. */
  description: string;
  roles: readonly MemberRole[];
  /** Who ultimately controls it; approvals count as independent only across these. */
  controlGroup: string;
  /** Empty for one that is no vetter. */
  vets: readonly DataClass[];
  /** Names of its datasets; the manifest of each is in `datasets/`. */
  datasets: readonly string[];
}

/** Every one is also a member of the council. */
export const organisations: readonly Organisation[] = [
  {
    id: "operator",
    title: "Northern Mobile",
    description: "A mobile operator: knows trips from its network, and answers about them.",
    roles: ["repository", "vetter"],
    controlGroup: "northern-telecom-holding",
    vets: ["trips", "visits", "own-data"],
    datasets: ["trips"],
  },
  {
    id: "bank",
    title: "Harbour Savings Bank",
    description: "A bank: holds the wages of people who live outside the South, and answers about them.",
    roles: ["repository", "vetter"],
    controlGroup: "harbour-cooperative",
    vets: ["wages", "trips"],
    datasets: ["wages-outside-the-south"],
  },
  {
    id: "hospital",
    title: "St. Luke's Hospital",
    description:
      "A hospital: holds its visits and the wages of people who live in the South, and answers about both.",
    roles: ["repository", "vetter"],
    controlGroup: "st-lukes-foundation",
    vets: ["wages", "visits", "own-data"],
    datasets: ["wages-of-the-south", "visits"],
  },
  {
    id: "city",
    title: "City of Riverton",
    description: "A city: runs a directory in which data can be found, and reads algorithms of every class.",
    roles: ["directory", "vetter"],
    controlGroup: "riverton-municipality",
    vets: ["wages", "visits", "trips", "own-data"],
    datasets: [],
  },
  {
    id: "university",
    title: "Riverton University",
    description:
      "A university: runs a second directory, writes the algorithms and asks the questions. It approves none of its own.",
    roles: ["directory", "querier"],
    controlGroup: "riverton-university",
    vets: [],
    datasets: [],
  },
];

/** Who writes the lab's algorithms and asks. */
export const authorId: OrganisationId = "university";

export function organisation(id: OrganisationId): Organisation {
  return organisations.find((other) => other.id === id)!;
}

/** Who may approve algorithms of a class, in the order above. */
export function vettersOf(dataClass: DataClass): Organisation[] {
  return organisations.filter(({ vets }) => vets.includes(dataClass));
}
