/** Colours for those who see them. What they say is always said in words too. */
import { styleText } from "node:util";

export interface Painter {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  bar(text: string): string;
}

export function painter(hasColour: boolean): Painter {
  const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    hasColour && text !== "" ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    good: paint("green"),
    bad: paint("red"),
    bar: paint("cyan"),
  };
}
