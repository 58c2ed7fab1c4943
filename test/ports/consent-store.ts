/** What every ConsentStore and every EnrolmentStore does. */
import { expect } from "chai";
import fc from "fast-check";
import {
  type ConsentReceipt,
  consentHash,
  consentTerms,
} from "../../node/data-sharing/consent/consent-receipt.ts";
import type { ConsentStore, EnrolmentStore, TakenConsent } from "../../node/data-sharing/consent/ports.ts";
import type { Outcome } from "../../node/data-sharing/ports.ts";
import type { AuditStore } from "../../node/ledger/ports.ts";
import type { Hex } from "../../node/primitives/hex.ts";
import { account, alice, bob, expectCode, hash, outcome, research, service, startMs } from "./stores.ts";

export interface ConsentStoreUnderTest {
  consents: ConsentStore;
  audit: AuditStore;
  reopen(): void;
  dispose(): void;
}

export interface EnrolmentStoreUnderTest {
  enrolments: EnrolmentStore;
  /** Another handle on the same enrolments, as the daemon and a command have. */
  second: EnrolmentStore;
  reopen(): void;
  dispose(): void;
}

const wages = hash("dataset wages");
const entrySignature = `0x${"53".repeat(64)}1b`;

export function receiptOf(record: string, changes: Partial<ConsentReceipt> = {}): ConsentReceipt {
  const { lawfulBasis, ...terms } = consentTerms;
  return {
    version: "itd-consent/1",
    record: hash(record),
    principal: alice,
    controller: { repository: account(999), publisher: "Bank" },
    dataset: { id: wages, name: "wages" },
    notice: { reference: hash("manifest"), language: "en" },
    purposes: [{ purpose: research, lawfulBasis }],
    dataCategory: "wages",
    ...terms,
    jurisdiction: "EU",
    event: { state: "given", timeMs: startMs },
    expiresS: null,
    ...changes,
  };
}

function taken(record: string, changes: Partial<ConsentReceipt> = {}, person = 0, binding = 7): TakenConsent {
  const receipt = receiptOf(record, changes);
  return {
    signed: { receipt, signature: `0x${"51".repeat(64)}1b`, entrySignature },
    reply: `{"receipt":"${record}"}`,
    person,
    binding,
    state: receipt.event.state,
    purposes: receipt.purposes.map(({ purpose }) => purpose),
    expiresS: receipt.expiresS,
  };
}

const logged = ({ signed }: TakenConsent): Outcome => ({
  ...outcome("consent"),
  transcript: consentHash(signed.receipt),
});

export function testConsentStore(create: () => ConsentStoreUnderTest): void {
  let stores: ConsentStoreUnderTest;
  beforeEach(() => {
    stores = create();
  });
  afterEach(() => stores.dispose());
  const save = (consent: TakenConsent) => stores.consents.saveConsent(consent, logged(consent));

  it("knows nothing at first", () => {
    expect(stores.consents.consent(hash("a"))).to.equal(undefined);
    expect(stores.consents.newestTimeMs(wages, alice)).to.equal(undefined);
    expect([...stores.consents.statements(wages)]).to.deep.equal([]);
  });

  it("keeps receipt and reply as they were, also over a restart", () => {
    const given = taken("a", { expiresS: 2_000_000_000 });
    save(given);
    for (const again of [false, true]) {
      if (again) stores.reopen();
      expect(stores.consents.consent(hash("a"))).to.deep.equal({ signed: given.signed, reply: given.reply });
      const { person, binding, state, purposes, expiresS } = given;
      expect([...stores.consents.statements(wages)]).to.deep.equal([
        { person, binding, state, purposes, expiresS },
      ]);
    }
  });

  it("puts an entry that both sides signed into the log, with the receipt or not at all", () => {
    const given = taken("a");
    save(given);
    const entry = stores.audit.entryOf(consentHash(given.signed.receipt));
    expect(entry?.entry.querierSignature).to.equal(entrySignature);
    expect(entry?.entry.repositorySignature).to.equal(outcome("x").repositorySignature);
    expect(stores.audit.openEntryCount()).to.equal(1);
    expectCode(() => save(taken("a", { principal: bob })), "consent_conflict");
    expect(stores.audit.openEntryCount()).to.equal(1);
    expect(stores.consents.newestTimeMs(wages, bob)).to.equal(undefined);
  });

  it("tells what was said in the order in which it was taken, of one dataset", () => {
    const all = { purposes: [], event: { state: "withdrawn" as const, timeMs: startMs + 1 } };
    const other = { dataset: { id: hash("dataset health"), name: "health" } };
    for (const consent of [
      taken("a"),
      taken("b", other),
      taken("c", all),
      taken("d", { principal: bob }, 1, 8),
    ])
      save(consent);
    const said = [...stores.consents.statements(wages)].map(({ person, binding, state, purposes }) => [
      ...[person, binding, state, purposes.length],
    ]);
    expect(said).to.deep.equal([
      [0, 7, "given", 1],
      [0, 7, "withdrawn", 0],
      [1, 8, "given", 1],
    ]);
  });

  it("keeps several purposes apart", () => {
    const { lawfulBasis } = consentTerms;
    save(taken("a", { purposes: [research, service].map((purpose) => ({ purpose, lawfulBasis })) }));
    expect([...stores.consents.statements(wages)][0]!.purposes).to.deep.equal([research, service]);
  });

  it("knows the newest time of each key and dataset", () => {
    save(taken("a", { event: { state: "given", timeMs: startMs + 5 } }));
    save(taken("b", { event: { state: "given", timeMs: startMs + 2 } }));
    expect(stores.consents.newestTimeMs(wages, alice)).to.equal(startMs + 5);
    expect(stores.consents.newestTimeMs(wages, bob)).to.equal(undefined);
    expect(stores.consents.newestTimeMs(hash("dataset health"), alice)).to.equal(undefined);
  });
}

const personOf = (number: number): Uint8Array => new Uint8Array(16).fill(number + 1);
const pair = (person: number, key: number): { person: Uint8Array; key: Hex } => ({
  person: personOf(person),
  key: account(key),
});

export function testEnrolmentStore(create: () => EnrolmentStoreUnderTest): void {
  let stores: EnrolmentStoreUnderTest;
  beforeEach(() => {
    stores = create();
  });
  afterEach(() => stores.dispose());
  const since = (sequence: number, dataset = "wages") =>
    [...stores.second.enrolmentsSince(dataset, sequence)].map(({ number, key }) => [number, Number(key)]);

  it("numbers people in the order of their enrolment, and shows them to whoever reads at the same time", () => {
    expect(stores.enrolments.enrol("wages", [pair(0, 10), pair(1, 11)])).to.deep.equal({
      enrolled: 2,
      rebound: 0,
      unchanged: 0,
    });
    expect(stores.enrolments.enrol("wages", [pair(1, 11), pair(2, 12)])).to.deep.equal({
      enrolled: 1,
      rebound: 0,
      unchanged: 1,
    });
    expect(since(0)).to.deep.equal([
      [0, 10],
      [1, 11],
      [2, 12],
    ]);
    expect(stores.second.enrolledCount("wages")).to.equal(3);
    const found = stores.second.enrolmentOf("wages", account(12))!;
    expect([...found.person]).to.deep.equal([...personOf(2)]);
    expect(found.number).to.equal(2);
    expect(since(found.sequence)).to.deep.equal([]);
  });

  it("gives a person who gets another key a new binding under the old number", () => {
    stores.enrolments.enrol("wages", [pair(0, 10), pair(1, 11)]);
    const before = stores.second.enrolmentOf("wages", account(10))!;
    expect(stores.enrolments.enrol("wages", [pair(0, 20)]).rebound).to.equal(1);
    const after = stores.second.enrolmentOf("wages", account(20))!;
    expect(after.number).to.equal(before.number);
    expect(after.binding).to.not.equal(before.binding);
    expect(stores.second.enrolmentOf("wages", account(10))).to.equal(undefined);
    // The key is free again, for a binding of its own.
    stores.enrolments.enrol("wages", [pair(2, 10)]);
    const reused = stores.second.enrolmentOf("wages", account(10))!;
    expect(reused.number).to.equal(2);
    expect(reused.binding).to.not.equal(before.binding);
  });

  it("refuses a key that speaks for somebody else, and then changes nothing", () => {
    stores.enrolments.enrol("wages", [pair(0, 10)]);
    const lists = [
      [pair(5, 15), pair(1, 10)],
      [pair(1, 11), pair(2, 11)],
      [pair(1, 11), pair(1, 12)],
    ];
    for (const list of lists) expectCode(() => stores.enrolments.enrol("wages", list), "enrolment_conflict");
    expect(since(0)).to.deep.equal([[0, 10]]);
    expect(stores.enrolments.enrol("wages", [pair(1, 11)]).enrolled).to.equal(1);
  });

  it("keeps datasets apart", () => {
    stores.enrolments.enrol("wages", [pair(0, 10), pair(1, 11)]);
    stores.enrolments.enrol("health", [pair(1, 10)]);
    expect(since(0, "health")).to.deep.equal([[0, 10]]);
    expect(stores.second.enrolmentOf("health", account(11))).to.equal(undefined);
    expect(stores.second.enrolledCount("nothing")).to.equal(0);
  });

  it("is durable", () => {
    stores.enrolments.enrol("wages", [pair(0, 10)]);
    const before = stores.enrolments.enrolmentOf("wages", account(10));
    stores.reopen();
    expect(stores.enrolments.enrolmentOf("wages", account(10))).to.deep.equal(before);
  });

  it("always has one person a key, one key a person, and numbers without gaps", () => {
    let runs = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { maxLength: 25 }), (steps) => {
        const dataset = `d${runs++}`;
        const model = new Map<number, number>();
        const order: number[] = [];
        for (const [person, key] of steps) {
          const isTaken = [...model].some(([other, held]) => held === key && other !== person);
          if (isTaken)
            expectCode(() => stores.enrolments.enrol(dataset, [pair(person, key)]), "enrolment_conflict");
          else {
            stores.enrolments.enrol(dataset, [pair(person, key)]);
            if (!model.has(person)) order.push(person);
            model.set(person, key);
          }
        }
        const newest = new Map(
          [...stores.second.enrolmentsSince(dataset, 0)].map((one) => [one.number, one]),
        );
        expect([...newest.keys()].sort((a, b) => a - b)).to.deep.equal(order.map((_, number) => number));
        for (const [number, { person, key }] of newest) {
          expect([...person]).to.deep.equal([...personOf(order[number]!)]);
          expect(key).to.equal(account(model.get(order[number]!)!));
        }
      }),
      { numRuns: 25 },
    );
  });
}
