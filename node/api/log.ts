/**
 * The daemon's own log: JSON lines on standard error (pino). It never holds tokens, proofs, signatures, keys, passphrases, parameters,
 * queries or rows: what could hold one is not logged, and what bears such a name is blotted out should it be logged nevertheless.
 */
import { type DestinationStream, destination, type LevelWithSilent, type Logger, pino } from "pino";
import { TrustedDataError } from "../errors.ts";

const secretNames = [
  "authorization",
  "Authorization",
  "dpop",
  "DPoP",
  "proof",
  "token",
  "signature",
  "repositorySignature",
  "querierSignature",
  "requestSignature",
  "signed",
  "parameters",
  "passphrase",
  "password",
  "key",
  "privateKey",
  "secret",
  "sql",
  "body",
  "reply",
];

export function createLog(
  level: LevelWithSilent,
  stream: DestinationStream = destination({ dest: 2, sync: true }),
): Logger {
  const paths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino(
    {
      level,
      base: { pid: process.pid },
      redact: { paths, censor: "[redacted]" },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    stream,
  );
}

/** What may be logged of anything thrown. Texts of foreign errors can quote what they stumbled over, so only their place is kept. */
export function loggable(error: unknown): Record<string, unknown> {
  if (error instanceof TrustedDataError) {
    return { code: error.code, reason: error.message, fields: { ...error.fields } };
  }
  if (!(error instanceof Error)) return { code: "internal", thrown: typeof error };
  const isOurs = error.message.startsWith("broken expectation: ");
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    code: "internal",
    thrown: error.name,
    ...(isOurs ? { reason: error.message } : {}),
    ...("code" in error && typeof error.code === "string" ? { cause: error.code } : {}),
    stack: frames.map((line) => line.trim()).slice(0, 12),
  };
}
