import { expect } from "chai";
import { type ErrorCode, TrustedDataError } from "../../node/errors.ts";

/** Expects an operating error of this code, with one sentence; gives it back. */
export async function expectCode(work: () => unknown, code: ErrorCode): Promise<TrustedDataError> {
  try {
    await work();
  } catch (error) {
    expect(error, String(error)).to.be.instanceOf(TrustedDataError);
    expect((error as TrustedDataError).code).to.equal(code);
    expect((error as TrustedDataError).message).to.match(/\.$/);
    return error as TrustedDataError;
  }
  expect.fail(`expected the error ${code}, nothing was thrown`);
}
