/** The measured errors as Markdown. */
import { type Crossing, crossingOf } from "./crossing.ts";
import { type AlgorithmErrors, epsilons, type SizeError } from "./measure.ts";

/** What lies between these in the document is the script's. */
export const marks = {
  begin: "<!-- What follows is written by scripts/write-usefulness.ts -->",
  end: "<!-- End of what is written by scripts/write-usefulness.ts -->",
} as const;

export function plotName(algorithm: string): string {
  return `usefulness-${algorithm}.svg`;
}

/** One section: summary, then a table and a picture for each algorithm. */
export function sections(all: readonly AlgorithmErrors[]): string {
  return [summary(all), ...all.map(section)].join("\n\n");
}

/** In bold where the noise is no larger than the sampling error. */
export function rowsOfSize(size: SizeError): string[] {
  const people = count(size.people);
  const rows = size.series.map(({ name, noise, sampling }) =>
    row([
      people,
      `\`${name}\``,
      ...noise.map((percent) =>
        sampling !== null && percent <= sampling ? `**${percentText(percent)}**` : percentText(percent),
      ),
      sampling === null ? "" : percentText(sampling),
    ]),
  );
  const lost = size.lost.some((percent) => percent >= 0.5)
    ? [row([people, `of ${size.groups} groups not shown`, ...size.lost.map(percentText), ""])]
    : [];
  return [...rows, ...lost];
}

function section(errors: AlgorithmErrors): string {
  const { algorithm } = errors;
  const charges = errors.epsilons.map((epsilon, place) =>
    place < epsilons.length ? `ε ${epsilon}` : `its charge, ε ${ceiled(epsilon)}`,
  );
  const header = ["people", "", ...charges, "sampling error"];
  const clamps = errors.clamped.filter(({ percent }) => percent >= 0.05);
  const notes = [
    ...clamps.map(
      ({ name, percent }) => `Clamps move \`${name}\` by ${percentText(percent)} in the typical group.`,
    ),
    ...(errors.isResampled
      ? [`${errors.sizes[0]!.people} real people; those beyond are drawn from them with replacement.`]
      : []),
  ];
  return [
    `### ${algorithm.name}`,
    `${algorithm.title}. ${notes.join(" ")}`.trim(),
    `![${algorithm.title}: error against people](${plotName(algorithm.name)})`,
    [
      row(header),
      `|${header.map((_, place) => (place < 2 ? "---" : "--:")).join("|")}|`,
      ...errors.sizes.flatMap(rowsOfSize),
    ].join("\n"),
  ].join("\n\n");
}

function summary(all: readonly AlgorithmErrors[]): string {
  const header = ["algorithm", "number", ...epsilons.map((epsilon) => `ε ${epsilon}`), "as the lab charges"];
  const rows = all.flatMap((errors) =>
    errors.sizes[0]!.series.map(({ name }, series) =>
      row([
        series === 0 ? `[${errors.algorithm.name}](#${errors.algorithm.name})` : "",
        `\`${name}\``,
        ...errors.epsilons.map((_, charge) => crossingText(crossingOf(errors, series, charge))),
      ]),
    ),
  );
  return [
    "### From how many people on the noise is smaller than the sampling error",
    [row(header), `|---|---|${"--:|".repeat(header.length - 2)}`, ...rows].join("\n"),
  ].join("\n\n");
}

function crossingText(crossing: Crossing | null): string {
  if (crossing === null) return "";
  const { people, kind } = crossing;
  if (kind === "about") return count(Number(people.toPrecision(2)));
  return kind === "at-most" ? `≤ ${count(people)}` : `> ${count(people)}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Two digits. */
function percentText(percent: number): string {
  if (!Number.isFinite(percent)) return "not shown";
  const rounded = Number(percent.toPrecision(2));
  if (rounded >= 10) return `${count(rounded)}%`;
  return `${rounded === 0 || rounded < 0.0001 ? 0 : fixed(percent)}%`;
}

function fixed(percent: number): string {
  const places = Math.max(0, 1 - Math.floor(Math.log10(percent)));
  const text = percent.toFixed(places);
  // 9.96 has come to 10.0.
  return Number(text) >= 10 ? "10" : text;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function ceiled(epsilon: number): string {
  return (Math.ceil(epsilon * 10) / 10).toFixed(1);
}
