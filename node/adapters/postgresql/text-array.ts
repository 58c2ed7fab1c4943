/** A list of texts as a parameter in PostgreSQL's binary form (src/backend/utils/adt/arrayfuncs.c, array_recv): no text needs escaping. */

/** Of the type text. */
const textOid = 25;
/** Dimensions, whether there are nulls, the type; of the one dimension the length and the first place. */
const headerBytes = 20;

export function binaryTextArray(texts: readonly string[]): Buffer {
  let bytes = headerBytes + 4 * texts.length;
  for (const text of texts) bytes += Buffer.byteLength(text);
  const array = Buffer.allocUnsafe(bytes);
  for (const [at, value] of [1, 0, textOid, texts.length, 1].entries()) array.writeInt32BE(value, 4 * at);
  let at = headerBytes;
  for (const text of texts) {
    const length = array.write(text, at + 4);
    array.writeInt32BE(length, at);
    at += 4 + length;
  }
  return array;
}
