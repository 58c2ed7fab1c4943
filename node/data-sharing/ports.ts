/** What data sharing needs from the outside; `adapters/` implements it. */

export interface Randomness {
  /** `count` bytes, uniform and unpredictable. Answers are only as private as this is. */
  bytes(count: number): Uint8Array;
}
