/**
 * Synthetic trips, as a mobile operator might derive them from where telephones connect. Nobody in it exists. Made to have the shape
 * that people know (rush hours on weekdays, noon on weekends, short walks, long train rides); its numbers say nothing about any place.
 */
import { assertPeople, peopleDefault } from "./csv.ts";
import { SeededRandom, weightsOf } from "./seeded-random.ts";

export const tripsHeader = "person,hour,day_type,distance_km,mode,destination";
export const tripsPerPersonMax = 10;
export const distanceKmMax = 200;
/** From 1 to 10 trips: most people make about five. */
const countWeights = weightsOf([3, 7, 12, 16, 18, 16, 12, 8, 5, 3]);

export const modes = ["walk", "bicycle", "car", "bus", "train"] as const;
type Mode = (typeof modes)[number];
const dayTypes = ["weekday", "weekend"] as const;
const dayTypeWeights = weightsOf([5, 2]);

/** How likely a trip starts in each hour from 0 to 23. */
const weekdayHours = weightsOf([
  2, 1, 1, 1, 3, 10, 30, 75, 90, 50, 35, 38, 48, 45, 42, 52, 78, 95, 72, 48, 32, 24, 16, 8,
]);
const weekendHours = weightsOf([
  10, 7, 5, 3, 2, 3, 7, 14, 26, 45, 62, 70, 68, 66, 64, 62, 60, 58, 54, 46, 36, 28, 22, 16,
]);

/** What somebody mostly takes, and the mean length of a trip by it. */
const modeWeights = weightsOf([20, 12, 45, 15, 8]);
const meanDistanceKm: Record<Mode, number> = { walk: 1.1, bicycle: 3.2, car: 13, bus: 6.5, train: 32 };
/** Of ten trips, those by what the person mostly takes; the others are by chance. */
const habit = 0.7;

/** Made-up places: which of them anybody goes to is itself private, so the manifest declares no list of them. Few draw most of the trips. */
const sides = ["Upper", "Lower", "North", "South", "East", "West", "Old", "New"];
const places = [
  "Harbour",
  "Market",
  "Station",
  "Mill",
  "Park",
  "Bridge",
  "College",
  "Hill",
  "Spring",
  "Ferry",
];
export const destinations = places.flatMap((place) => sides.map((side) => `${side} ${place}`));
const destinationWeights = weightsOf(destinations.map((_, rank) => 1 / (rank + 1)));

/** CSV of `people` people, header first, each with 1 to 10 rows. The same seed gives the same people, however many follow. */
export function* generateTrips(people = peopleDefault, seed = "living-lab"): Generator<string> {
  assertPeople(people);
  const random = new SeededRandom(`trips/${seed}`);
  const whereTo = new SeededRandom(`destinations/${seed}`);
  yield tripsHeader;
  for (let number = 1; number <= people; number++) {
    const person = `subscriber-${String(number).padStart(7, "0")}`;
    const usual = modes[random.weighted(modeWeights)]!;
    const trips = 1 + random.weighted(countWeights);
    for (let trip = 0; trip < trips; trip++)
      yield `${tripLine(person, usual, random)},${destinations[whereTo.weighted(destinationWeights)]}`;
  }
}

function tripLine(person: string, usual: Mode, random: SeededRandom): string {
  const dayType = dayTypes[random.weighted(dayTypeWeights)]!;
  const hour = random.weighted(dayType === "weekday" ? weekdayHours : weekendHours);
  const mode = random.chance(habit) ? usual : modes[random.weighted(modeWeights)]!;
  return `${person},${hour},${dayType},${distanceKm(mode, random)},${mode}`;
}

/** The sum of two exponentials: few trips are very short. Kept to a tenth of a kilometre. */
function distanceKm(mode: Mode, random: SeededRandom): string {
  const half = meanDistanceKm[mode] / 2;
  const distance = random.exponential(half) + random.exponential(half);
  const tenths = Math.max(1, Math.round(10 * Math.min(distanceKmMax, distance)));
  return `${Math.floor(tenths / 10)}.${tenths % 10}`;
}
