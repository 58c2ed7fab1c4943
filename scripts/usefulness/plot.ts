/** The measured errors of an algorithm as SVG: one panel for each number, people against error, both scales logarithmic. */
import { type AlgorithmErrors, epsilons } from "./measure.ts";

const panel = { width: 415, height: 250 };
const inner = { left: 62, top: 34, width: 262, height: 176 };
const panelsPerRow = 2;
const percentRange = [0.001, 1_000] as const;
const percentTicks = [0.001, 0.01, 0.1, 1, 10, 100, 1_000];
/** Between labels at the ends of lines. */
const labelDistance = 13;

/** Told apart by marks and labels as well as by colour. */
const lines = [
  ...epsilons.map((epsilon, place) => ({ label: `ε ${epsilon}`, style: `line${place}` })),
  { label: "sampling", style: "sampling" },
];

const styles = `
  text { font-family: system-ui, sans-serif; font-size: 12px; fill: #1f2328; }
  .title { font-weight: 600; }
  .page { fill: #ffffff; }
  .grid { stroke: #8c959f; stroke-opacity: 0.35; }
  .line0 { stroke: #c2410c; fill: #c2410c; }
  .line1 { stroke: #7c3aed; fill: #7c3aed; }
  .line2 { stroke: #0369a1; fill: #0369a1; }
  .sampling { stroke: #1f2328; fill: #1f2328; }
  path { fill: none !important; stroke-width: 2; }
  path.sampling { stroke-dasharray: 6 4; }
  text.line0, text.line1, text.line2, text.sampling { stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .page { fill: #0d1117; }
    .line0 { stroke: #fb923c; fill: #fb923c; }
    .line1 { stroke: #c4a5ff; fill: #c4a5ff; }
    .line2 { stroke: #56b4f0; fill: #56b4f0; }
    .sampling { stroke: #e6edf3; fill: #e6edf3; }
  }`;

export function plot(errors: AlgorithmErrors): string {
  const names = errors.sizes[0]!.series.map(({ name }) => name);
  const [columns, rows] = [Math.min(panelsPerRow, names.length), Math.ceil(names.length / panelsPerRow)];
  const [width, height] = [columns * panel.width, rows * panel.height];
  const panels = names.map((_, series) => {
    const [x, y] = [(series % panelsPerRow) * panel.width, Math.floor(series / panelsPerRow) * panel.height];
    return `<g transform="translate(${x} ${y})">\n${panelOf(errors, series)}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(errors.algorithm.title)}: error of the noise and of sampling</title>`,
    `<style>${styles}\n</style>`,
    `<clipPath id="inside"><rect x="${inner.left}" y="${inner.top}" width="${inner.width}" height="${inner.height}"/></clipPath>`,
    `<rect class="page" width="${width}" height="${height}" rx="6"/>`,
    ...panels,
    "</svg>\n",
  ].join("\n");
}

function panelOf(errors: AlgorithmErrors, series: number): string {
  const people = errors.sizes.map((size) => size.people);
  const [least, most] = [people[0]!, people.at(-1)!];
  const xOf = scale(least, most, inner.left + 8, inner.left + inner.width - 8);
  const yOf = scale(...percentRange, inner.top + inner.height, inner.top);
  const bottom = inner.top + inner.height;
  const grid = percentTicks.map((percent) => {
    const y = rounded(yOf(percent));
    return `<line class="grid" x1="${inner.left}" x2="${inner.left + inner.width}" y1="${y}" y2="${y}"/><text x="${inner.left - 6}" y="${y + 4}" text-anchor="end">${percent.toLocaleString("en", { maximumFractionDigits: 3 })}%</text>`;
  });
  const ticks = people.map((one) => {
    const x = rounded(xOf(one));
    return `<line class="grid" x1="${x}" x2="${x}" y1="${inner.top}" y2="${bottom}"/><text x="${x}" y="${bottom + 17}" text-anchor="middle">${short(one)}</text>`;
  });
  const { name } = errors.sizes[0]!.series[series]!;
  const drawn = lines.map(({ style }, line) => {
    const points = errors.sizes.flatMap((size) => {
      const { noise, sampling } = size.series[series]!;
      const percent = line < epsilons.length ? noise[line]! : sampling;
      if (percent === null || !Number.isFinite(percent)) return [];
      // Far outside where it is nothing, or more than the picture shows.
      return [{ x: rounded(xOf(size.people)), y: rounded(yOf(Math.max(percent, percentRange[0] / 100))) }];
    });
    return { style, points, text: lineOf(style, points, line) };
  });
  return [
    `<text class="title" x="${inner.left}" y="20">${escaped(name)}</text>`,
    ...grid,
    ...ticks,
    `<g clip-path="url(#inside)">\n${drawn.map(({ text }) => text).join("\n")}\n</g>`,
    ...labels(drawn.map(({ points }) => points.at(-1)?.y)),
    `<text x="${inner.left + inner.width}" y="${bottom + 33}" text-anchor="end">people</text>`,
  ].join("\n");
}

interface Point {
  x: number;
  y: number;
}

function lineOf(style: string, points: Point[], line: number): string {
  const path = points.map(({ x, y }, place) => `${place === 0 ? "M" : "L"}${x} ${y}`).join(" ");
  const spots = line < epsilons.length ? points.map((point) => spot(style, point, line)) : [];
  return [...(points.length > 0 ? [`<path class="${style}" d="${path}"/>`] : []), ...spots].join("");
}

/** A circle, a square, a triangle. */
function spot(style: string, { x, y }: Point, line: number): string {
  if (line === 0) return `<circle class="${style}" cx="${x}" cy="${y}" r="3.5"/>`;
  if (line === 1) return `<rect class="${style}" x="${x - 3}" y="${y - 3}" width="6" height="6"/>`;
  return `<polygon class="${style}" points="${x},${rounded(y - 4.5)} ${x - 4},${y + 3} ${x + 4},${y + 3}"/>`;
}

/** At the ends of the lines, moved apart. */
function labels(ends: (number | undefined)[]): string[] {
  const [top, bottom] = [inner.top + 4, inner.top + inner.height];
  const placed = ends
    .map((y, line) => ({ line, y: y === undefined ? Number.NaN : Math.min(bottom, Math.max(top, y)) }))
    .filter(({ y }) => !Number.isNaN(y))
    .sort((a, b) => a.y - b.y);
  for (let place = 1; place < placed.length; place++)
    placed[place]!.y = Math.max(placed[place]!.y, placed[place - 1]!.y + labelDistance);
  for (let place = placed.length - 1, most = bottom + 4; place >= 0; place--, most -= labelDistance)
    placed[place]!.y = Math.min(placed[place]!.y, most);
  return placed.map(({ line, y }) => {
    const { label, style } = lines[line]!;
    const x = inner.left + inner.width + 20;
    const mark =
      line < epsilons.length
        ? spot(style, { x: x - 9, y: rounded(y) }, line)
        : `<path class="${style}" d="M${x - 15} ${rounded(y)}h12"/>`;
    return `${mark}<text class="${style}" x="${x}" y="${rounded(y + 4)}">${label}</text>`;
  });
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  return (value) => start + ((end - start) * Math.log(value / from)) / Math.log(to / from);
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function short(people: number): string {
  if (people >= 1_000_000) return `${people / 1_000_000}M`;
  return people >= 1_000 ? `${people / 1_000}k` : String(people);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
