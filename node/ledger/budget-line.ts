/** What a batch says about budgets: 48 bytes a dataset, as AuditAnchor takes them (bytes32 dataset, uint64 spent, uint64 reserved). */
import { assert } from "../primitives/assert.ts";
import { fromHex, type Hex, hash32Pattern, toHex } from "../primitives/hex.ts";

export interface BudgetLine {
  dataset: Hex;
  /** Micro-rho spent since the dataset was first offered, when the batch was closed. */
  spent: bigint;
  /** Micro-rho that may be spent beyond `spent` before the next batch is anchored. */
  reserved: bigint;
}

const lineBytes = 48;

export function encodeBudgetLines(lines: readonly BudgetLine[]): Hex {
  const bytes = Buffer.alloc(lines.length * lineBytes);
  for (const [i, { dataset, spent, reserved }] of lines.entries()) {
    assert(hash32Pattern.test(dataset), "a dataset id is 32 bytes");
    bytes.set(fromHex(dataset), i * lineBytes);
    bytes.writeBigUInt64BE(spent, i * lineBytes + 32);
    bytes.writeBigUInt64BE(reserved, i * lineBytes + 40);
  }
  return toHex(bytes);
}

/** Undefined if the text is not whole lines. */
export function decodeBudgetLines(budgets: Hex): BudgetLine[] | undefined {
  if (!/^0x(?:[0-9a-f]{96})*$/.test(budgets)) return undefined;
  const bytes = Buffer.from(budgets.slice(2), "hex");
  return Array.from({ length: bytes.length / lineBytes }, (_, i) => ({
    dataset: toHex(bytes.subarray(i * lineBytes, i * lineBytes + 32)),
    spent: bytes.readBigUInt64BE(i * lineBytes + 32),
    reserved: bytes.readBigUInt64BE(i * lineBytes + 40),
  }));
}
