/** Where the lab's manifests are and how its data is made: a table, no more. */
import { generateTrips } from "./data/trips.ts";
import { generateVisits } from "./data/visits.ts";
import { wageLines } from "./data/wages.ts";

/** Published by the university on the first start, in this order. */
export const algorithmNames = [
  "union-wage-premium",
  "wages-by-education-and-sex",
  "wages-by-occupation",
  "wage-quartiles",
  "age-distribution",
  "visits-by-age-group",
  "visits-by-department",
  "visits-per-patient",
  "trips-by-hour",
  "distance-by-mode",
  "busiest-destinations",
] as const;

/** CSV lines of each dataset, header first. Real data takes no notice of `people` and `seed`. */
export const datasetLines: Readonly<Record<string, (people: number, seed: string) => Iterable<string>>> = {
  "wages-outside-the-south": () => wageLines("elsewhere"),
  "wages-of-the-south": () => wageLines("south"),
  visits: generateVisits,
  trips: generateTrips,
};

export function algorithmManifestUrl(name: string): URL {
  return new URL(`./algorithms/${name}.yaml`, import.meta.url);
}

export function datasetManifestUrl(name: string): URL {
  return new URL(`./datasets/${name}.yaml`, import.meta.url);
}
