/**
 * Synthetic hospital visits. Nobody in it exists. Made to have the shape that people know (children and the old come more often, the old
 * stay longer, departments differ in stay and cost); its numbers say nothing about any hospital.
 */
import { assertPeople, peopleDefault } from "./csv.ts";
import { SeededRandom, type Weights, weightsOf } from "./seeded-random.ts";

export const visitsHeader = "person,age,sex,department,stay_days,cost";
export const visitsPerPersonMax = 6;
export const ageMax = 99;
export const stayDaysMax = 60;
export const costMax = 100_000;

/** `stayDays`: mean at the age of 40. Costs in dollars: once, and for each day. */
const departments = {
  emergency: { stayDays: 0.4, onceCost: 450, dayCost: 900 },
  surgery: { stayDays: 4, onceCost: 4_200, dayCost: 1_100 },
  cardiology: { stayDays: 3.5, onceCost: 2_600, dayCost: 1_300 },
  oncology: { stayDays: 5, onceCost: 5_200, dayCost: 1_500 },
  maternity: { stayDays: 2.6, onceCost: 2_200, dayCost: 800 },
  paediatrics: { stayDays: 1.8, onceCost: 600, dayCost: 700 },
  geriatrics: { stayDays: 5.5, onceCost: 900, dayCost: 650 },
} as const;
type Department = keyof typeof departments;
export const departmentNames = Object.keys(departments) as Department[];

/** Patients by decade of age, from 0 to 90. */
const decadeWeights = weightsOf([11, 7, 10, 12, 11, 12, 13, 12, 9, 3]);
const sexes = ["female", "male"] as const;
type Sex = (typeof sexes)[number];

/** CSV of `people` people, header first, each with 1 to 6 rows. The same seed gives the same people, however many follow. */
export function* generateVisits(people = peopleDefault, seed = "living-lab"): Generator<string> {
  assertPeople(people);
  const random = new SeededRandom(`visits/${seed}`);
  yield visitsHeader;
  for (let number = 1; number <= people; number++) {
    const person = `patient-${String(number).padStart(7, "0")}`;
    const age = random.weighted(decadeWeights) * 10 + random.integer(0, 9);
    const sex = sexes[random.chance(0.52) ? 0 : 1];
    const visits = visitCount(age, random);
    for (let visit = 0; visit < visits; visit++) {
      yield `${person},${age},${sex},${visitDetails(age, sex, random)}`;
    }
  }
}

/** One visit, and each further one less likely than the one before; more of them for small children and the old. */
function visitCount(age: number, random: SeededRandom): number {
  const again = age < 5 ? 0.5 : 0.25 + age / 220;
  let visits = 1;
  while (visits < visitsPerPersonMax && random.chance(again)) visits++;
  return visits;
}

function visitDetails(age: number, sex: Sex, random: SeededRandom): string {
  const department = departmentNames[random.weighted(departmentsBySexAndAge[sex][age]!)]!;
  const { stayDays, onceCost, dayCost } = departments[department];
  const meanDays = stayDays * (age < 40 ? 1 : 1 + (age - 40) / 60);
  const days = Math.min(
    stayDaysMax,
    Math.round(random.exponential(meanDays / 2) + random.exponential(meanDays / 2)),
  );
  const cost = (onceCost + days * dayCost) * (0.7 + 0.6 * random.fraction());
  return `${department},${days},${Math.min(costMax, cost).toFixed(2)}`;
}

const agesInOrder = Array.from({ length: ageMax + 1 }, (_, age) => age);
const departmentsBySexAndAge: Record<Sex, Weights[]> = {
  female: agesInOrder.map((age) => weightsOf(departmentWeights(age, "female"))),
  male: agesInOrder.map((age) => weightsOf(departmentWeights(age, "male"))),
};

/** In the order of `departments`. */
function departmentWeights(age: number, sex: Sex): number[] {
  const isOld = age >= 70;
  return [
    35,
    age < 15 ? 8 : 22,
    age < 30 ? 1 : age / 4,
    age < 30 ? 2 : age / 6,
    sex === "female" && age >= 18 && age < 45 ? 30 : 0,
    age < 16 ? 60 : 0,
    isOld ? 30 : 0,
  ];
}
