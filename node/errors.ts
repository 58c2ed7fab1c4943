/** Operating errors are data: a stable code, one sentence for people, and the fields that failed. Bugs are asserts, not these. */

/** Every code, with the HTTP status under which it leaves a node. */
export const errorStatus = {
  algorithm_not_approved: 403,
  algorithm_revoked: 403,
  algorithm_unknown: 404,
  anchor_conflict: 500,
  answer_invalid: 422,
  answers_not_combinable: 422,
  body_too_large: 413,
  bounds_missing: 422,
  budget_exhausted: 403,
  budget_not_reserved: 503,
  catalogue_altered: 502,
  catalogue_invalid: 422,
  catalogue_too_large: 422,
  chain_rejected: 502,
  chain_replay_mismatch: 500,
  chain_settings_conflict: 409,
  chain_stale: 503,
  chain_unavailable: 503,
  chain_wrong_network: 500,
  charge_too_small: 422,
  client_not_found: 404,
  config_invalid: 500,
  daemon_failed: 500,
  data_class_mismatch: 422,
  data_file_column_missing: 422,
  data_file_empty: 422,
  data_file_encoding: 422,
  data_file_invalid: 422,
  data_file_not_found: 404,
  data_file_too_large: 413,
  dataset_damaged: 500,
  dataset_unavailable: 503,
  dataset_unknown: 404,
  engine_failed: 500,
  engine_limit: 500,
  entry_closed: 409,
  entry_unknown: 404,
  file_unreadable: 422,
  file_unwritable: 500,
  internal: 500,
  invalid_json: 400,
  journal_damaged: 500,
  journal_failed: 500,
  key_exists: 409,
  key_file_invalid: 500,
  key_file_readable_by_others: 500,
  key_not_found: 500,
  key_wrong_passphrase: 500,
  lab_damaged: 500,
  lab_folder_foreign: 500,
  log_altered: 502,
  manifest_invalid: 422,
  media_type: 415,
  member_unknown: 404,
  method_not_allowed: 405,
  no_answer: 502,
  no_dataset_found: 404,
  not_found: 404,
  not_ready: 503,
  parameter_invalid: 422,
  peer_answer_invalid: 502,
  peer_certificate: 502,
  peer_unreachable: 502,
  port_in_use: 409,
  proof_invalid: 401,
  proof_replayed: 401,
  proposal_unknown: 404,
  purpose_not_permitted: 403,
  querier_budget_exhausted: 403,
  querier_not_certified: 403,
  question_conflict: 409,
  question_unknown: 404,
  rate_limited: 429,
  receipt_invalid: 422,
  repository_not_certified: 503,
  request_expired: 401,
  request_invalid: 400,
  signature_invalid: 401,
  sql_refused: 422,
  state_damaged: 500,
  state_in_use: 500,
  state_newer: 500,
  storage_failed: 500,
  storage_full: 503,
  token_expired: 401,
  token_invalid: 401,
  transcript_mismatch: 502,
  usage: 400,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export class TrustedDataError extends Error {
  readonly code: ErrorCode;
  readonly fields: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, fields: Record<string, string> = {}) {
    super(message);
    this.name = "TrustedDataError";
    this.code = code;
    this.fields = fields;
  }

  get status(): number {
    return errorStatus[this.code];
  }
}
