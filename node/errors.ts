/** Operating errors are data: a stable code, one sentence for people, and the fields that failed. Bugs are asserts, not these. */

/** Every code, with the HTTP status under which it leaves a node. */
export const errorStatus = {
  invalid_json: 400,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export class TrustedDataError extends Error {
  readonly code: ErrorCode;
  readonly fields: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, fields: Record<string, string> = {}) {
    super(message);
    this.name = "TrustedDataError";
    this.code = code;
    this.fields = fields;
  }

  get status(): number {
    return errorStatus[this.code];
  }
}
