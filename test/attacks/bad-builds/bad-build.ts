/** A build that is wrong on purpose: source text of the product, replaced as it is loaded. */

export interface Patch {
  /** From the project's root. */
  file: string;
  /** Stands in the file exactly once; whoever changes it is told to look at the bad build too. */
  search: string;
  replace: string;
}

export interface BadBuild {
  name: string;
  /** What is wrong with it. */
  what: string;
  patches: Patch[];
  /** Attacks that must catch it, the cheapest first: that one runs in `npm test`. */
  caughtBy: string[];
}

/** The file's text with the patch in it. Fails where the text that it replaces is not there once. */
export function patched(source: string, { file, search, replace }: Patch): string {
  const parts = source.split(search);
  if (parts.length !== 2)
    throw new Error(`${file} has ${parts.length - 1} times, not once: ${search.slice(0, 200)}`);
  return parts.join(replace);
}
