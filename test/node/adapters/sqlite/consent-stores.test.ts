import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type EnrolmentFile, openEnrolmentFile } from "../../../../node/adapters/sqlite/enrolment-file.ts";
import { SqliteConsentStore } from "../../../../node/adapters/sqlite/sqlite-consent-store.ts";
import { SystemRandomness } from "../../../../node/adapters/system-randomness.ts";
import {
  type ConsentStoreUnderTest,
  testConsentStore,
  testEnrolmentStore,
} from "../../../ports/consent-store.ts";
import { account, expectCode } from "../../../ports/stores.ts";
import { SqliteStores, temporaryFolder } from "./open-stores.ts";

class SqliteConsents extends SqliteStores implements ConsentStoreUnderTest {
  get consents(): SqliteConsentStore {
    return new SqliteConsentStore(this.database);
  }
}

class EnrolmentFiles {
  readonly folder = temporaryFolder();
  enrolments!: EnrolmentFile;
  second!: EnrolmentFile;

  constructor() {
    this.open();
  }

  open(): void {
    this.enrolments = openEnrolmentFile(this.file, new SystemRandomness());
    this.second = openEnrolmentFile(this.file, new SystemRandomness());
  }

  get file(): string {
    return join(this.folder, "state", "enrolments.sqlite");
  }

  reopen(): void {
    this.close();
    this.open();
  }

  close(): void {
    this.enrolments.close();
    this.second.close();
  }

  dispose(): void {
    this.close();
    rmSync(this.folder, { recursive: true });
  }
}

describe("the consent store in SQLite", () => testConsentStore(() => new SqliteConsents()));
describe("the file of enrolments", () => {
  testEnrolmentStore(() => new EnrolmentFiles());

  it("is for its owner alone, and no other file is taken for it", () => {
    const files = new EnrolmentFiles();
    try {
      expect(statSync(files.file).mode & 0o777).to.equal(0o600);
      expect(statSync(`${files.file}-wal`).mode & 0o777).to.equal(0o600);
      const other = join(files.folder, "other.sqlite");
      writeFileSync(other, readFileSync(new SqliteStoresFile(files.folder).file));
      expectCode(() => openEnrolmentFile(other, new SystemRandomness()), "state_damaged");
      writeFileSync(other, "no database ".repeat(1_000));
      expectCode(() => openEnrolmentFile(other, new SystemRandomness()), "state_damaged");
    } finally {
      files.dispose();
    }
  });

  it("takes a list of people whole or not at all, whenever it ends", () => {
    const files = new EnrolmentFiles();
    try {
      function* broken() {
        for (let i = 0; i < 100; i++) yield { person: new Uint8Array(16).fill(i), key: account(i) };
        throw new Error("the list ends here");
      }
      expect(() => files.enrolments.enrol("wages", broken())).to.throw("ends here");
      expect(files.second.enrolledCount("wages")).to.equal(0);
    } finally {
      files.dispose();
    }
  });
});

/** A state file of a daemon, closed. */
class SqliteStoresFile {
  readonly file: string;

  constructor(folder: string) {
    const stores = new SqliteStores();
    stores.database.close();
    this.file = join(folder, "daemon.sqlite");
    writeFileSync(this.file, readFileSync(stores.file));
    rmSync(stores.folder, { recursive: true });
  }
}
