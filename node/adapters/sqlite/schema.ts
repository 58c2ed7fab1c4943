/**
 * The tables of a node's state file. Each migration takes the file from version i to i + 1; one that was released is never edited.
 *
 * Hashes, accounts and signatures are text (lower-case hexadecimal), documents JSON text, micro-rho 64-bit integers up to 2^62.
 */

/** "ITD1": tells a state file from any other SQLite file. */
export const applicationId = 0x49544431;

/** Sums of two such amounts still fit SQLite's integers. */
export const microRhoMax = 2n ** 62n;

const microRho = `INTEGER NOT NULL CHECK (micro_rho BETWEEN 0 AND ${microRhoMax})`;

export const migrations: readonly string[] = [
  `
  CREATE TABLE batches (
    sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
    previous_link TEXT NOT NULL,
    root TEXT NOT NULL,
    entry_count INTEGER NOT NULL CHECK (entry_count >= 0),
    budgets TEXT NOT NULL,
    block_number INTEGER,
    link TEXT,
    CHECK ((block_number IS NULL) = (link IS NULL))
  ) STRICT;

  CREATE TABLE entries (
    position INTEGER PRIMARY KEY,
    transcript TEXT NOT NULL UNIQUE,
    repository_signature TEXT NOT NULL,
    querier_signature TEXT,
    created_ms INTEGER NOT NULL,
    promised_block INTEGER NOT NULL,
    batch INTEGER REFERENCES batches (sequence),
    batch_index INTEGER,
    CHECK ((batch IS NULL) = (batch_index IS NULL))
  ) STRICT;
  CREATE INDEX entries_open ON entries (position) WHERE batch IS NULL;
  CREATE UNIQUE INDEX entries_by_batch ON entries (batch, batch_index) WHERE batch IS NOT NULL;

  -- A question is authorised; with a charge it is charged, with a reply it has ended. No row is ever changed.
  CREATE TABLE questions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    dataset TEXT NOT NULL,
    block_number INTEGER NOT NULL,
    block_hash TEXT NOT NULL,
    token TEXT NOT NULL,
    token_expires_ms INTEGER NOT NULL,
    signed TEXT NOT NULL,
    plan TEXT NOT NULL,
    manifest TEXT NOT NULL,
    authorisation TEXT NOT NULL
  ) STRICT;

  CREATE TABLE replies (
    question INTEGER PRIMARY KEY REFERENCES questions (number),
    state TEXT NOT NULL CHECK (state IN ('answered', 'refused')),
    entry INTEGER NOT NULL REFERENCES entries (position),
    reply TEXT NOT NULL
  ) STRICT;

  CREATE TABLE refusals (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    entry INTEGER NOT NULL REFERENCES entries (position),
    signed TEXT NOT NULL,
    reply TEXT NOT NULL
  ) STRICT;

  CREATE TABLE releases (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    answer TEXT NOT NULL
  ) STRICT;

  -- One row a charged question; a row of no question corrects the sum after a restored backup.
  CREATE TABLE charges (
    number INTEGER PRIMARY KEY,
    question INTEGER UNIQUE REFERENCES questions (number),
    dataset TEXT NOT NULL,
    querier TEXT,
    purpose TEXT,
    micro_rho ${microRho},
    CHECK ((question IS NULL) = (querier IS NULL) AND (question IS NULL) = (purpose IS NULL))
  ) STRICT;

  -- Running sums of charges.
  CREATE TABLE dataset_sums (dataset TEXT PRIMARY KEY, micro_rho ${microRho}) STRICT, WITHOUT ROWID;
  CREATE TABLE querier_sums (
    dataset TEXT NOT NULL,
    querier TEXT NOT NULL,
    purpose TEXT NOT NULL,
    micro_rho ${microRho},
    PRIMARY KEY (dataset, querier, purpose)
  ) STRICT, WITHOUT ROWID;

  -- Spent + reserved in the newest anchored batch.
  CREATE TABLE ceilings (dataset TEXT PRIMARY KEY, micro_rho ${microRho}) STRICT, WITHOUT ROWID;

  CREATE TABLE proofs (id TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX proofs_by_expiry ON proofs (expires_ms);
  -- Proofs that expired by then are forgotten; one row.
  CREATE TABLE proof_horizon (forgotten_ms INTEGER NOT NULL) STRICT;
  INSERT INTO proof_horizon VALUES (0);

  CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;

  CREATE TABLE descriptions (repository TEXT PRIMARY KEY, description TEXT NOT NULL) STRICT;
  CREATE TABLE manifests (algorithm TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
  `,
  `
  -- What receipts say, in the order in which they were taken; small rows, as all of a dataset are read at a start.
  CREATE TABLE consents (
    sequence INTEGER PRIMARY KEY,
    dataset TEXT NOT NULL,
    principal TEXT NOT NULL,
    person INTEGER NOT NULL,
    binding INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('given', 'withdrawn')),
    -- Separated by blanks; none in a withdrawal of everything.
    purposes TEXT NOT NULL,
    expires_s INTEGER,
    time_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX consents_by_principal ON consents (dataset, principal, time_ms);

  CREATE TABLE consent_receipts (
    consent INTEGER PRIMARY KEY REFERENCES consents (sequence),
    record TEXT NOT NULL UNIQUE,
    entry INTEGER NOT NULL REFERENCES entries (position),
    signed TEXT NOT NULL,
    reply TEXT NOT NULL
  ) STRICT;

  -- Up to this one consent may have been withdrawn in what a restored backup has lost; one row.
  CREATE TABLE consent_horizon (sequence INTEGER NOT NULL) STRICT;
  INSERT INTO consent_horizon VALUES (0);
  `,
];
