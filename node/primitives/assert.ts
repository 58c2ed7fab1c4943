/** Stops on a programmer's error. Never used for what a caller, a file or a peer may get wrong: that is a `TrustedDataError`. */
export function assert(condition: boolean, expectation: string): asserts condition {
  if (!condition) throw new Error(`broken expectation: ${expectation}`);
}
