import { expect } from "chai";
import type { QuestionReply } from "../../../node/data-sharing/log-outcome.ts";
import type { WireReply } from "../../../node/data-sharing/ports.ts";
import { transcriptHash } from "../../../node/data-sharing/transcript.ts";
import { promiseStruct, transcriptStruct } from "../../../node/ledger/audit-entry.ts";
import { canonicalJson } from "../../../node/primitives/canonical-json.ts";
import { sha256Hex } from "../../../node/primitives/hex.ts";
import { expectCode } from "../../support/errors.ts";
import { RepositoryWorld } from "../../support/repository-world.ts";
import { testDeployment } from "../../support/wallet-signer.ts";

/** A repository that signs whatever it likes. */
type Lie = (reply: QuestionReply) => void;

describe("a querier countersigns nothing that a repository made up:", () => {
  let world: RepositoryWorld;
  beforeEach(async () => {
    world = await RepositoryWorld.ready();
  });
  afterEach(() => {
    expect(world.audit.openEntries().every(({ entry }) => entry.querierSignature === null)).to.equal(true);
    world.dispose();
  });

  const lied = async (reply: WireReply, lie: Lie): Promise<WireReply> => {
    const told = JSON.parse(reply.body) as QuestionReply;
    lie(told);
    const hash = transcriptHash(told.transcript);
    const sign = world.repositorySigner.sign.bind(world.repositorySigner);
    told.repositorySignature = await sign(transcriptStruct(testDeployment, hash));
    told.promise.signature = await sign(promiseStruct(testDeployment, hash, told.promise.byBlock));
    return { ...reply, body: canonicalJson(told) };
  };

  const lies: Record<string, Lie> = {
    request: ({ transcript }) => {
      transcript.request.parameters = { minimum_age: 40 };
    },
    requestSignature: ({ transcript }) => {
      transcript.requestSignature = `0x${"11".repeat(64)}1b`;
    },
    token: ({ transcript }) => {
      transcript.token = sha256Hex("another token");
    },
    plan: (reply) => {
      reply.plan!.floor.minimum = 0;
    },
    manifest: ({ transcript }) => {
      transcript.manifest = sha256Hex("another manifest");
    },
    consentVersion: ({ transcript }) => {
      transcript.consentVersion = 1;
    },
    answer: ({ answer }) => {
      answer!.values[0]![0] = "1000";
    },
    chargeMicroRho: ({ transcript }) => {
      transcript.chargeMicroRho = "99";
    },
    outcome: (reply) => {
      reply.transcript.outcome = "refused";
    },
    timeS: ({ transcript }) => {
      transcript.timeS = 1;
    },
    block: ({ transcript }) => {
      transcript.block.hash = sha256Hex("no such block");
    },
    "promise.byBlock": ({ promise }) => {
      promise.byBlock = 2 ** 50;
    },
  };

  for (const [field, lie] of Object.entries(lies)) {
    it(`another ${field}`, async () => {
      const peers = world.peers();
      const querier = world.querier({
        answer: async (...call) => await lied(await peers.answer(...call), lie),
      });
      const error = await expectCode(() => querier.ask(world.question, world.offer), "transcript_mismatch");
      expect(error.fields).to.include({ field });
    });
  }

  it("signatures by another key", async () => {
    const peers = world.peers();
    const querier = world.querier({
      answer: async (...call) => {
        const reply = await peers.answer(...call);
        const told = JSON.parse(reply.body) as QuestionReply;
        const struct = transcriptStruct(testDeployment, transcriptHash(told.transcript));
        told.repositorySignature = await world.querierSigner.sign(struct);
        return { ...reply, body: canonicalJson(told) };
      },
    });
    const error = await expectCode(() => querier.ask(world.question, world.offer), "transcript_mismatch");
    expect(error.fields).to.include({ field: "repositorySignature" });
  });

  it("a plan or a price that differs already with the token, before anything is charged", async () => {
    for (const change of [{ plan: sha256Hex("another plan") }, { chargeMicroRho: "100001" }]) {
      const peers = world.peers();
      const querier = world.querier({
        authorise: async (...call) => {
          const reply = await peers.authorise(...call);
          return { ...reply, body: canonicalJson({ ...JSON.parse(reply.body), ...change }) };
        },
      });
      await expectCode(() => querier.ask(world.question, world.offer), "transcript_mismatch");
      expect(world.questions.spent(world.offer.dataset)).to.equal(0n);
    }
  });
});
