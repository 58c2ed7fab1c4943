/** What an attacker learns from one question. */
import type { Exchange } from "./exchange.ts";

export interface Reply extends Exchange {
  outcome: "answered" | "refused" | "failed";
  /** Of a refusal or an error. */
  code: string | undefined;
  chargeMicroRho: bigint;
  plan: string | null;
  /** The released answer's text as it was sent. */
  answerText: string;
  /** By vector and group; as text, as a bad build may send anything. Null where it is suppressed. */
  values: (string | null)[][];
  /** Keys of an open domain that are shown, by group; null where all domains are declared. */
  groups: string[][] | null;
}

export function replyOf(exchange: Exchange): Reply {
  const document = JSON.parse(exchange.text);
  const reply = exchange.status === 200 ? document : document.reply;
  const { transcript, answer } = reply ?? { transcript: undefined, answer: null };
  return {
    ...exchange,
    outcome: transcript?.outcome ?? "failed",
    code: transcript?.refusal ?? document.code,
    chargeMicroRho: BigInt(transcript?.chargeMicroRho ?? 0),
    plan: transcript?.plan ?? null,
    answerText: JSON.stringify(answer),
    values: answer?.values ?? [],
    groups: answer?.groups ?? null,
  };
}

/** The values of an answered question. Anything else is an attack that does not work any more, and says nothing about the build. */
export function valuesOf(reply: Reply): (string | null)[][] {
  if (reply.outcome !== "answered")
    throw new Error(
      `the question is ${reply.outcome} (${reply.status} ${reply.code}): ${reply.text.slice(0, 400)}`,
    );
  return reply.values;
}

export function openLabelsOf(reply: Reply): string[][] {
  valuesOf(reply);
  if (reply.groups === null) throw new Error("the answer lists no groups: its keys are declared");
  return reply.groups;
}
