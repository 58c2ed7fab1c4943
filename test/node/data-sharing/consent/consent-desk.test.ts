// Consent as an attacker would have it: for another person, from elsewhere, from another time, and what an observer could see of it.
import { expect } from "chai";
import { targetOf } from "../../../../node/data-sharing/consent/consent-giver.ts";
import { consentHash } from "../../../../node/data-sharing/consent/consent-receipt.ts";
import { isAnchored } from "../../../../node/data-sharing/consent/kept-consent.ts";
import { canonicalHash } from "../../../../node/primitives/canonical-json.ts";
import { academic, ConsentWorld, marketing, type Person } from "../../../support/consent-world.ts";
import { expectCode } from "../../../support/errors.ts";
import { research } from "../../../support/repository-world.ts";
import { testDeployment, WalletSigner } from "../../../support/wallet-signer.ts";

const hourMs = 3_600_000;

describe("consent", () => {
  let world: ConsentWorld;
  let ann: Person;
  beforeEach(async () => {
    world = await ConsentWorld.ready();
    ann = world.enrolled("1");
  });
  afterEach(() => world.dispose());
  const take = (signed: Awaited<ReturnType<Person["receipt"]>>) => world.repository.desk.take(signed);
  const entries = () => world.repository.audit.openEntryCount();

  describe("decides who takes part", () => {
    it("nobody at first, which is an answer and no error", async () => {
      expect(await world.ask()).to.deep.equal([]);
      expect(world.repository.engineFailures).to.deep.equal([]);
    });

    it("those who gave it, from the next execution on until they withdraw it", async () => {
      const ben = world.enrolled("2");
      await ann.give();
      expect(await world.ask()).to.deep.equal(["1"]);
      await ben.give();
      expect(await world.ask()).to.deep.equal(["1", "2"]);
      await ann.withdraw();
      expect(await world.ask()).to.deep.equal(["2"]);
      await ann.give();
      expect(await world.ask()).to.deep.equal(["1", "2"]);
    });

    it("as before after a restart", async () => {
      const ben = world.enrolled("2");
      await ann.give();
      await ben.give();
      await ben.withdraw();
      await world.repository.reopen();
      expect(await world.ask()).to.deep.equal(["1"]);
    });

    it("for the purpose and narrower ones, not for broader or other ones", async () => {
      world.repository.manifest = { ...world.repository.manifest, purposes: [research, marketing] };
      const ben = world.enrolled("2");
      await ann.give(research);
      await ben.give(academic);
      expect(await world.ask(research)).to.deep.equal(["1"]);
      expect(await world.ask(academic)).to.deep.equal(["1", "2"]);
      await ann.withdraw(marketing);
      expect(await world.ask(research)).to.deep.equal(["1"]);
    });

    it("no more for what is narrower or broader than what was withdrawn, but for what is beside it", async () => {
      await ann.give(research);
      await ann.withdraw(academic);
      expect(await world.ask(academic)).to.deep.equal([]);
      expect(await world.ask(research)).to.deep.equal([]);
      expect(await world.ask("dpv:ScientificResearch")).to.deep.equal(["1"]);
      await world.repository.reopen();
      expect(await world.ask("dpv:ScientificResearch")).to.deep.equal(["1"]);
      expect(await world.ask(research)).to.deep.equal([]);
    });

    it("until it ends", async () => {
      const endS = Math.floor(world.repository.clock.nowMs() / 1000) + 5_000;
      await ann.give(research, endS);
      expect(await world.ask()).to.deep.equal(["1"]);
      world.repository.clock.advance(4_990_000);
      await world.repository.anchoring.tick();
      expect(await world.ask()).to.deep.equal(["1"]);
      world.repository.clock.advance(11_000);
      expect(await world.ask()).to.deep.equal([]);
    });

    it("no more, whatever was given before, once the state was restored from a backup: a withdrawal may be lost with it", async () => {
      const ben = world.enrolled("2");
      await ann.give();
      await ben.give();
      expect(await world.ask()).to.deep.equal(["1", "2"]);
      await world.repository.anchoring.tick();
      const backup = world.repository.copyState();
      await world.repository.anchoring.tick();
      expect(await world.ask()).to.deep.equal(["1", "2"]);
      await ann.withdraw();
      await world.repository.anchoring.tick();
      await world.repository.restoreState(backup);
      // Counted before the chain was looked at, as the daemon may do.
      expect(world.repository.people.counts("wages", [research]).consenting[research]).to.equal(2);
      await world.repository.anchoring.tick();
      expect(await world.ask()).to.deep.equal([]);
      await ben.give();
      expect(await world.ask()).to.deep.equal(["2"]);
      // The person has the withdrawal still, and its acknowledgement.
      const lost = (await ann.giver().kept()).at(-1)!;
      await take(lost.signed);
      await world.repository.reopen();
      await world.repository.anchoring.tick();
      expect(await world.ask()).to.deep.equal(["2"]);
    });

    it("of the person to whom the custodian has bound the key now: another key takes the former one's word away", async () => {
      await ann.give();
      const next = world.stranger();
      world.enrol("1", next.key);
      expect(await world.ask()).to.deep.equal([]);
      await expectCode(() => ann.give(), "consent_key_unknown");
      await next.give();
      expect(await world.ask()).to.deep.equal(["1"]);
      // The former key, bound to somebody else, brings nothing along.
      world.enrol("3", ann.key);
      expect(await world.ask()).to.deep.equal(["1"]);
      await world.repository.reopen();
      expect(await world.ask()).to.deep.equal(["1"]);
    });

    it("also of a person who is in no data, who then changes nothing", async () => {
      const nobody = world.enrolled("nobody of the file");
      await nobody.give();
      expect(await world.ask()).to.deep.equal([]);
    });

    it("not where the dataset needs none", async () => {
      const open = await ConsentWorld.ready({ consent: "not-required" });
      try {
        expect(await open.ask()).to.have.length(500);
        await expectCode(() => open.enrolled("1").give(), "consent_not_needed");
      } finally {
        open.dispose();
      }
    });
  });

  describe("for another person is refused:", () => {
    const nothingHappened = async () => {
      expect(entries()).to.equal(0);
      expect(await world.ask()).to.deep.equal([]);
    };

    it("signed by any other key, even one that is enrolled itself", async () => {
      const ben = world.enrolled("2");
      for (const signer of [ben.signer, new WalletSigner()])
        await expectCode(
          async () => take(await ann.receipt((receipt) => receipt, { signer })),
          "signature_invalid",
        );
      const own = await ann.receipt();
      const others = await ann.receipt((receipt) => receipt, { signer: ben.signer });
      await expectCode(() => take({ ...own, signature: others.signature }), "signature_invalid");
      await expectCode(() => take({ ...own, entrySignature: others.entrySignature }), "signature_invalid");
      await nothingHappened();
    });

    it("by a key that the custodian has bound to nobody, whatever it claims", async () => {
      await expectCode(() => world.stranger().give(), "consent_key_unknown");
      await nothingHappened();
    });

    it("altered in any field after it was signed", async () => {
      const signed = await ann.receipt();
      const { receipt } = signed;
      const altered: (typeof receipt)[] = [
        { ...receipt, record: canonicalHash("another") },
        { ...receipt, principal: world.enrolled("2").key },
        { ...receipt, purposes: [{ purpose: academic, lawfulBasis: "dpv:Consent" }] },
        { ...receipt, notice: { ...receipt.notice, language: "de" } },
        { ...receipt, dataCategory: "health" },
        { ...receipt, jurisdiction: "US" },
        { ...receipt, event: { ...receipt.event, timeMs: receipt.event.timeMs + 1 } },
        { ...receipt, event: { ...receipt.event, state: "withdrawn" } },
        { ...receipt, expiresS: 4_000_000_000 },
        { ...receipt, dataset: { ...receipt.dataset, name: "other" } },
        { ...receipt, controller: { ...receipt.controller, publisher: "Somebody" } },
      ];
      for (const changed of altered)
        await expectCode(() => take({ ...signed, receipt: changed }), "signature_invalid");
      await nothingHappened();
    });

    it("for another dataset, repository or chain", async () => {
      const other = await ConsentWorld.ready();
      try {
        const elsewhere = await ann.receipt((receipt) => ({
          ...receipt,
          controller: { ...receipt.controller, repository: other.repository.repositorySigner.address },
        }));
        await expectCode(() => take(elsewhere), "request_invalid");
        // The same name there is another dataset.
        other.enrol("1", ann.key);
        const foreign = await ann.receipt((receipt) => ({
          ...receipt,
          dataset: { ...receipt.dataset, id: other.repository.offer.dataset },
        }));
        await expectCode(() => take(foreign), "dataset_unknown");
        const mixed = await ann.receipt((receipt) => ({
          ...receipt,
          dataset: { ...receipt.dataset, name: "trips" },
        }));
        await expectCode(() => take(mixed), "dataset_unknown");
        const chains = [
          { ...testDeployment, chainId: 1 },
          {
            ...testDeployment,
            contracts: { ...testDeployment.contracts, auditAnchor: `0x${"99".repeat(20)}` },
          },
        ];
        for (const deployment of chains)
          await expectCode(
            async () => take(await ann.receipt((r) => r, { deployment })),
            "signature_invalid",
          );
        await nothingHappened();
        expect(await other.ask()).to.deep.equal([]);
      } finally {
        other.dispose();
      }
    });

    it("by a person who is enrolled in another dataset only", async () => {
      const cyd = world.stranger();
      world.repository.enrolments.enrol("trips", [{ person: new Uint8Array(16), key: cyd.key }]);
      await expectCode(() => cyd.give(), "consent_key_unknown");
      await nothingHappened();
    });
  });

  describe("from another time is refused:", () => {
    it("an older receipt after a withdrawal, whether it was taken before or never arrived", async () => {
      const given = await ann.receipt();
      await take(given);
      world.repository.clock.advance(5);
      const late = await ann.receipt();
      await ann.withdraw();
      const first = await take(given);
      expect(await take(given)).to.equal(first);
      await expectCode(() => take(late), "consent_superseded");
      expect(await world.ask()).to.deep.equal([]);
      await world.repository.reopen();
      await take(given);
      await expectCode(() => take(late), "consent_superseded");
      expect(await world.ask()).to.deep.equal([]);
    });

    it("two of one moment: the second one", async () => {
      const [a, b] = [await ann.receipt(), await ann.receipt()];
      expect(a.receipt.event.timeMs).to.equal(b.receipt.event.timeMs);
      await take(a);
      await expectCode(() => take(b), "consent_superseded");
    });

    it("from the future, from long ago, or over already", async () => {
      const nowMs = world.repository.clock.nowMs();
      const dated = (timeMs: number) =>
        ann.receipt((receipt) => ({ ...receipt, event: { ...receipt.event, timeMs } }));
      for (const timeMs of [nowMs + 601_000, nowMs - 601_000, nowMs + 100 * hourMs, 1])
        await expectCode(async () => take(await dated(timeMs)), "consent_out_of_time");
      const over = await ann.receipt((receipt) => ({ ...receipt, expiresS: Math.floor(nowMs / 1000) }));
      await expectCode(() => take(over), "consent_out_of_time");
      expect(entries()).to.equal(0);
    });

    it("a withdrawal from the future; but never one for being old, unless something newer was said", async () => {
      await ann.give();
      const nowMs = world.repository.clock.nowMs();
      const withdrawal = (timeMs: number) =>
        ann.receipt((receipt) => ({ ...receipt, purposes: [], event: { state: "withdrawn", timeMs } }));
      await expectCode(async () => take(await withdrawal(nowMs + 601_000)), "consent_out_of_time");
      await expectCode(async () => take(await withdrawal(nowMs - hourMs)), "consent_superseded");
      const kept = await withdrawal(nowMs + 1);
      world.repository.clock.advance(30 * hourMs);
      await take(kept);
      expect(world.repository.people.counts("wages", [research]).consenting).to.deep.equal({ [research]: 0 });
    });

    it("to what the dataset was declared to be before", async () => {
      const old = await ann.receipt();
      world.repository.manifest = { ...world.repository.manifest, title: "Wages and illnesses" };
      await expectCode(() => take(old), "notice_outdated");
      // A withdrawal needs no notice.
      await take(
        await ann.receipt((receipt) => ({
          ...receipt,
          notice: old.receipt.notice,
          purposes: [],
          event: { ...receipt.event, state: "withdrawn" },
        })),
      );
    });

    it("to a purpose for which the dataset is not used", async () => {
      for (const purpose of [marketing, "dpv:CommercialPurpose"])
        await expectCode(() => ann.give(purpose), "purpose_not_permitted");
    });
  });

  describe("is taken", () => {
    it("once, however often it comes and at whatever moment the reply is lost", async () => {
      const signed = await ann.receipt();
      const replies = await Promise.all(Array.from({ length: 20 }, () => take(signed)));
      expect(new Set(replies).size).to.equal(1);
      expect(entries()).to.equal(1);
      await world.repository.reopen();
      expect(await take(signed)).to.equal(replies[0]);
      expect(entries()).to.equal(1);
    });

    it("under one record only", async () => {
      const signed = await ann.receipt();
      await take(signed);
      world.repository.clock.advance(10);
      const other = await ann.receipt((receipt) => ({ ...receipt, record: signed.receipt.record }));
      await expectCode(() => take(other), "consent_conflict");
      const ben = world.enrolled("2");
      const stolen = await ben.receipt((receipt) => ({ ...receipt, record: signed.receipt.record }));
      await expectCode(() => take(stolen), "consent_conflict");
      expect(entries()).to.equal(1);
    });

    it("as a withdrawal also of a dataset that is not offered any more", async () => {
      await ann.give();
      const target = targetOf(world.repository.offer);
      world.repository.offered = [];
      const wish = { state: "withdrawn" as const, purposes: [], expiresS: null, jurisdiction: "EU" };
      await ann.giver().say(target, wish);
      await expectCode(() => ann.give(), "dataset_unknown");
      world.repository.offered = undefined;
      expect(await world.ask()).to.deep.equal([]);
    });

    it("while the chain is away, too: a withdrawal waits for nobody", async () => {
      await ann.give();
      world.repository.chain.isDown = true;
      await ann.withdraw();
      world.repository.chain.isDown = false;
      expect(await world.ask()).to.deep.equal([]);
    });

    it("not when the custodian binds the person anew while it is being signed", async () => {
      const signed = await ann.receipt();
      const taking = take(signed);
      world.enrol("1", world.stranger().key);
      await expectCode(() => taking, "consent_key_unknown");
      expect(entries()).to.equal(0);
    });

    it("at most so often in an hour, a withdrawal always still", async () => {
      for (let i = 0; i < 10; i++) await ann.give();
      await expectCode(() => ann.give(), "rate_limited");
      await ann.withdraw();
      expect(await world.ask()).to.deep.equal([]);
    });

    it("and kept by the person before it is sent; a lost reply is fetched later", async () => {
      const lost = { giveConsent: async () => Promise.reject(new Error("the machine went off")) };
      const wish = { state: "given" as const, purposes: [research], expiresS: null, jurisdiction: "EU" };
      await ann
        .giver(lost)
        .say(targetOf(world.repository.offer), wish)
        .catch(() => undefined);
      const [kept] = await ann.giver().kept();
      expect(kept!.acknowledgement).to.equal(null);
      const acknowledged = await ann.giver().refreshed(kept!, world.repository.offer.peer);
      expect(acknowledged.acknowledgement!.receipt).to.equal(consentHash(kept!.signed.receipt));
      expect(await world.ask()).to.deep.equal(["1"]);
    });

    it("and anchored like any entry; the person checks it against the chain", async () => {
      await ann.give();
      const [kept] = await ann.giver().kept();
      const { peer } = world.repository.offer;
      expect((await ann.giver().refreshed(kept!, peer)).anchor).to.equal(null);
      await world.repository.anchoring.tick();
      const anchored = await ann.giver().refreshed(kept!, peer);
      expect(anchored.anchor!.blockNumber).to.be.at.most(kept!.acknowledgement!.promise.byBlock);
      expect((await ann.giver().kept())[0]).to.deep.equal(anchored);
      const modules = { deployment: testDeployment, chain: world.repository.chain };
      expect(await isAnchored(anchored, modules)).to.equal(true);
      const { signed, acknowledgement, anchor } = anchored;
      const forged: (typeof anchored)[] = [
        { ...anchored, anchor: { ...anchor!, root: canonicalHash("root") } },
        { ...anchored, anchor: { ...anchor!, index: anchor!.index + 1 } },
        { ...anchored, anchor: { ...anchor!, blockNumber: anchor!.blockNumber + 1 } },
        { ...anchored, signed: { ...signed, entrySignature: signed.signature } },
        { ...anchored, acknowledgement: { ...acknowledgement!, repositorySignature: signed.entrySignature } },
        {
          ...anchored,
          acknowledgement: { ...acknowledgement!, promise: { ...acknowledgement!.promise, byBlock: 1 } },
        },
      ];
      for (const one of forged) expect(await isAnchored(one, modules)).to.equal(false);
    });

    it("by the person's side only with the repository's own signature", async () => {
      const other = new WalletSigner();
      const lying = {
        giveConsent: async (...call: [unknown, Awaited<ReturnType<Person["receipt"]>>]) => {
          const said = JSON.parse(await take(call[1]));
          const { transcriptStruct } = await import("../../../../node/ledger/audit-entry.ts");
          return {
            ...said,
            repositorySignature: await other.sign(transcriptStruct(testDeployment, said.receipt)),
          };
        },
      };
      const wish = { state: "given" as const, purposes: [research], expiresS: null, jurisdiction: "EU" };
      await expectCode(
        () => ann.giver(lying).say(targetOf(world.repository.offer), wish),
        "peer_answer_invalid",
      );
      expect((await ann.giver().kept())[0]!.acknowledgement).to.equal(null);
    });
  });

  describe("shows an observer nothing:", () => {
    const asked = async (purpose = research) => {
      const { transcript, answer } = await world.repository
        .querier()
        .ask({ ...world.repository.question, purpose }, world.repository.offer);
      return { ...transcript, values: answer!.values, status: transcript.outcome };
    };

    it("a repeat gives the stored release, free, whether or not somebody withdrew since", async () => {
      await ann.give();
      const first = await asked();
      expect(first.chargeMicroRho).to.not.equal("0");
      await ann.withdraw();
      const repeated = await asked();
      expect(repeated.chargeMicroRho).to.equal("0");
      expect(repeated.answer).to.equal(first.answer);
      expect(repeated.consentVersion).to.equal(first.consentVersion);
      expect(world.executions).to.deep.equal([["1"]]);
    });

    it("versions advance by the clock alone, and with the next one the withdrawal shows in what is executed", async () => {
      await ann.give();
      const first = await asked();
      await ann.withdraw();
      world.repository.clock.advance(hourMs);
      await world.repository.anchoring.tick();
      const next = await asked();
      expect(next.consentVersion).to.equal(first.consentVersion + 1);
      expect(next.dataVersion).to.equal(first.dataVersion);
      expect(next.chargeMicroRho).to.equal(first.chargeMicroRho);
      expect(world.executions).to.deep.equal([["1"], []]);
      // Nobody said anything, and yet there is another version, charged again.
      world.repository.clock.advance(hourMs);
      await world.repository.anchoring.tick();
      const quiet = await asked();
      expect(quiet.consentVersion).to.equal(next.consentVersion + 1);
      expect(quiet.chargeMicroRho).to.equal(first.chargeMicroRho);
    });

    it("another purpose is another release, over its own people", async () => {
      await ann.give(academic);
      expect((await asked(research)).chargeMicroRho).to.not.equal("0");
      expect((await asked(academic)).chargeMicroRho).to.not.equal("0");
      expect(world.executions).to.deep.equal([[], ["1"]]);
    });

    it("status, charge and the form of the answer are the same for nobody, one and all", async () => {
      const shapes: unknown[] = [];
      const people = Array.from({ length: 8 }, (_, i) => world.enrolled(`${i + 100}`));
      for (const consenting of [[], people.slice(0, 1), people]) {
        for (const person of consenting) await person.give();
        world.repository.clock.advance(hourMs);
        await world.repository.anchoring.tick();
        const { values, status, chargeMicroRho, refusal } = await asked();
        shapes.push([values.map((list) => list.length), status, chargeMicroRho, refusal]);
      }
      expect(shapes[1]).to.deep.equal(shapes[0]);
      expect(shapes[2]).to.deep.equal(shapes[0]);
    });

    it("a stranger is told the same of an enrolled key and of one that nobody knows", async () => {
      const forged = async (person: Person) => {
        const mallory = new WalletSigner();
        const signed = await person.receipt((receipt) => receipt, { signer: mallory });
        return await expectCode(() => take(signed), "signature_invalid");
      };
      const [known, unknown] = [await forged(ann), await forged(world.stranger())];
      expect(known.message).to.equal(unknown.message);
      expect(known.fields).to.deep.equal(unknown.fields);
    });

    it("what a querier may spend is one sum for all purposes under the dataset's own", async () => {
      const charge = 100_000;
      world.repository.manifest = {
        ...world.repository.manifest,
        budget: {
          totalMicroRho: "1000000",
          perQuerierMicroRho: String(2 * charge),
          reservedMicroRho: "1000000",
        },
      };
      await asked(research);
      await asked(academic);
      const third = await world.repository
        .querier()
        .ask({ ...world.repository.question, purpose: "dpv:ScientificResearch" }, world.repository.offer);
      expect(third.transcript.refusal).to.equal("querier_budget_exhausted");
    });
  });
});
