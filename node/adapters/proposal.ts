/** What every proposal of a first manifest has in common, wherever the rows lie: how much of them it takes over, and what it warns of. */
import {
  boundMagnitudeMax,
  type DatasetColumn,
  type DatasetManifest,
  datasetManifestSchema,
} from "../data-sharing/manifests/dataset-manifest.ts";
import { identifierOf } from "./duckdb/stored-columns.ts";

export interface ManifestProposal {
  manifest: DatasetManifest;
  /** One sentence each: what was read off the data, what was left out and why. */
  warnings: string[];
}

/** More texts than this are hardly a domain. */
export const domainProposedMax = 50;
export const scaleProposedMax = 6;
const rowsPerPersonProposedMax = 10_000;
/** Three answers for each of two queriers at what the lab's dearest algorithm costs (0.8 rho), and one of them between two batches. */
const proposedBudget = {
  totalMicroRho: "5000000",
  perQuerierMicroRho: "2500000",
  reservedMicroRho: "1000000",
};

export interface ProposedParts {
  title: string;
  /** Of the file or table, without its ending. */
  name: string;
  person: string;
  /** The most that a person has. */
  rowsOfOnePerson: number;
  columns: Record<string, DatasetColumn>;
}

/** The manifest, after the warnings of its columns those of the rest. */
export function proposalOf(parts: ProposedParts, warnings: readonly string[]): ManifestProposal {
  const { title, person, columns } = parts;
  const table = identifierOf(identifierOf(parts.name).replace(/_+/g, "_")).replace(/_+$/, "");
  const rowsPerPerson = Math.min(Math.max(1, parts.rowsOfOnePerson), rowsPerPersonProposedMax);
  return {
    manifest: datasetManifestSchema.parse({
      name: table.replace(/_+/g, "-"),
      title,
      synthetic: false,
      dataClass: "unclassified",
      table,
      person,
      rowsPerPerson,
      columns,
      purposes: ["dpv:ResearchAndDevelopment"],
      budget: proposedBudget,
    }),
    warnings: [
      ...warnings,
      `rowsPerPerson (${rowsPerPerson}) is the largest number of rows that a person has here: fewer give more exact answers.`,
      "The budget, the purposes and the class of the data are placeholders: decide them.",
    ],
  };
}

export function leftOutWarning(header: string, reason: string): string {
  return `${header} is left out: ${reason}.`;
}

/** What about the column was read off the data, if anything. */
export function readOffWarnings(name: string, column: DatasetColumn): string[] {
  if (column.type === "boolean") return [];
  if (column.type !== "text")
    return [`The bounds of ${name} were read off the data: put in what is publicly known.`];
  return column.domain === "open"
    ? [
        `${name} has more than ${domainProposedMax} different texts, so which there are stays private and groups of it are shown only where enough people share them: put in a domain if it is publicly known, and take the column out if its texts tell who people are.`,
      ]
    : [`The domain of ${name} was read off the data: put in what is publicly known.`];
}

/** A column of numbers from `least` to `most`, or why there can be none. */
export function numberColumn(
  least: number,
  most: number,
  scale: number,
  nullable: boolean,
): DatasetColumn | string {
  const bounds: [number, number] = [roundedOut(least, -1, scale), roundedOut(most, 1, scale)];
  if (Math.max(...bounds.map(Math.abs)) * 10 ** scale > boundMagnitudeMax) return "its numbers are too large";
  return scale === 0 ? { type: "integer", bounds, nullable } : { type: "decimal", scale, bounds, nullable };
}

/** To two significant digits, away from the values: 1234 to 1300 upwards, to 1200 downwards. */
function roundedOut(value: number, side: 1 | -1, scale: number): number {
  if (value === 0) return 0;
  const exponent = Math.max(Math.floor(Math.log10(Math.abs(value))) - 1, -scale);
  const steps = Math.round(value / 10 ** exponent);
  const enough = side * steps * 10 ** exponent >= side * value;
  // Through text, so that the bound lies on the grid exactly.
  return Number(`${enough ? steps : steps + side}e${exponent}`);
}
