/** What consent needs from the outside: the custodian's bindings of people to keys, and where receipts are kept on either side. */
import type { Hex } from "../../primitives/hex.ts";
import type { Outcome } from "../ports.ts";
import type { SignedConsent } from "./consent-receipt.ts";

/** A person of a dataset, bound by the custodian to the key that speaks for them. */
export interface Enrolment {
  /** Of all enrolments; a new key for a person is a new one. */
  sequence: number;
  /** Of the person in the dataset, from 0 without gaps, in the order of their first enrolment. */
  number: number;
  /** `personHash`. */
  person: Uint8Array;
  key: Hex;
  /** 48 random bits that name this binding: what is said under it counts for no later one. */
  binding: number;
}

/** The custodian's bindings, as the daemon sees them: they may change at any moment. */
export interface EnrolmentReader {
  /** The person for whom this key speaks now. */
  enrolmentOf(dataset: string, key: Hex): Enrolment | undefined;
  /** Those after `sequence`, oldest first; of one person the last one counts. */
  enrolmentsSince(dataset: string, sequence: number): Iterable<Enrolment>;
}

export interface EnrolmentReport {
  enrolled: number;
  /** People who got another key; what they had consented to under the former one counts no more. */
  rebound: number;
  unchanged: number;
}

/** For the custodian alone. Durable on return, all of a call or nothing. */
export interface EnrolmentStore extends EnrolmentReader {
  /** @throws TrustedDataError `enrolment_conflict` if a key speaks for somebody else in the dataset, or a person or key comes twice. */
  enrol(dataset: string, people: Iterable<{ person: Uint8Array; key: Hex }>): EnrolmentReport;
  enrolledCount(dataset: string): number;
}

/** Shows the custodian names that were mistyped. */
export interface EnrolmentCheck {
  /**
   * How many of these people, as in the person column, have no row in a dataset that needs consent. Exact: for the custodian alone.
   * @throws TrustedDataError `dataset_unknown`, `database_*`
   */
  countPeopleMissing(dataset: string, people: ReadonlySet<string>): Promise<number>;
}

/** What one receipt says, without the receipt. */
export interface ConsentStatement {
  /** The person's number and binding when it was taken. */
  person: number;
  binding: number;
  state: "given" | "withdrawn";
  purposes: readonly string[];
  expiresS: number | null;
}

export interface TakenConsent extends ConsentStatement {
  signed: SignedConsent;
  /** The exact bytes of the acknowledgement. */
  reply: string;
}

/** Consent receipts of a repository. Every write is on disk when it returns; each call is one transaction. */
export interface ConsentStore {
  /** By the receipt's record. */
  consent(record: Hex): { signed: SignedConsent; reply: string } | undefined;
  /** The newest event's time, of this key for this dataset. */
  newestTimeMs(dataset: Hex, principal: Hex): number | undefined;
  /** The receipt, what it says and its log entry, signed by both sides. @throws TrustedDataError `consent_conflict` if the record is taken. */
  saveConsent(taken: TakenConsent, outcome: Outcome): void;
  /**
   * In the order in which they were taken. Without what was given before the state was restored from a backup, if it ever was: it may
   * have been withdrawn since, in what was lost.
   */
  statements(dataset: Hex): Iterable<ConsentStatement>;
  /** Changes when statements that were told of before are told of no more. */
  horizon(): number;
}

/** What a person's side keeps of its consent receipts: named texts, each whole or not at all. */
export interface ConsentArchive {
  texts(): Promise<string[]>;
  /** Durable on return; takes the place of the text of this name. */
  keep(name: string, text: string): Promise<void>;
  drop(name: string): Promise<void>;
}
