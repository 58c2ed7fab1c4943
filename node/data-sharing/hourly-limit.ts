/** At most so many of something in an hour and for a key; kept in memory, so a restart starts anew. */
const hourMs = 3_600_000;

export class HourlyLimit {
  readonly #most: number;
  /** Oldest first; those that are over are dropped with the next one taken. */
  readonly #counts = new Map<string, { sinceMs: number; count: number }>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether one more is within the limit; then it is counted. */
  take(key: string, nowMs: number): boolean {
    for (const [other, { sinceMs }] of this.#counts) {
      if (Math.abs(nowMs - sinceMs) < hourMs) break;
      this.#counts.delete(other);
    }
    const known = this.#counts.get(key) ?? { sinceMs: nowMs, count: 0 };
    if (known.count >= this.#most) return false;
    known.count++;
    this.#counts.set(key, known);
    return true;
  }
}
