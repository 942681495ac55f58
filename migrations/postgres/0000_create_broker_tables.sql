-- Every table of the broker. The user stands in each unique key of what is a user's, so that it can be sharded by user.
CREATE TABLE "actions" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"lineage_id" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"request_digest" text NOT NULL,
	"skill_id" text NOT NULL,
	"action" text NOT NULL,
	"status" text NOT NULL,
	"reason" text NOT NULL,
	"deployment_id" text NOT NULL,
	"manifest_digest" text,
	"grant_id" text,
	"approval_id" text,
	"event_id" text,
	"leaf_hash" "bytea",
	"broker_key" text,
	"sent_digest" text,
	"session_id" text NOT NULL,
	"currency" text,
	"reserved_minor" bigint,
	"held_minor" bigint NOT NULL,
	"captured_minor" bigint NOT NULL,
	"overrun_minor" bigint NOT NULL,
	"reserved_at_ms" bigint,
	"asked" boolean NOT NULL,
	"counted" boolean NOT NULL,
	"settle_event_id" text,
	"settled_by" text,
	"created_at_ms" bigint NOT NULL,
	"decided_at_ms" bigint NOT NULL,
	"settled_at_ms" bigint,
	"next_check_at_ms" bigint,
	"node_id" text,
	"doubted_at_ms" bigint,
	"settle_leaf_hash" "bytea",
	CONSTRAINT "actions_id_user_id_pk" PRIMARY KEY("id","user_id"),
	CONSTRAINT "actions_count_when_decided" CHECK (reserved_at_ms is null or reserved_at_ms = decided_at_ms),
	CONSTRAINT "actions_held_not_negative" CHECK (held_minor >= 0),
	CONSTRAINT "actions_captured_not_negative" CHECK (captured_minor >= 0),
	CONSTRAINT "actions_overrun_not_negative" CHECK (overrun_minor >= 0),
	CONSTRAINT "actions_take_at_most_the_reserved" CHECK (held_minor + captured_minor <= coalesce(reserved_minor, 0))
);
--> statement-breakpoint
CREATE TABLE "agents" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"lineage_id" text NOT NULL,
	"name" text NOT NULL,
	"public_jwk" text NOT NULL,
	"key_thumbprint" text NOT NULL,
	"client_id" text,
	"client_host" text,
	"deployments" text NOT NULL,
	"status" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	CONSTRAINT "agents_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "approvals" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"action" text NOT NULL,
	"action_id" text NOT NULL,
	"digest" text NOT NULL,
	"questions" text NOT NULL,
	"preview_event_id" text,
	"preview_digest" text,
	"status" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"decided_at_ms" bigint,
	CONSTRAINT "approvals_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "ceremonies" (
	"challenge_hash" text PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"bound_to" text NOT NULL,
	"facts" text NOT NULL,
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "channels" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"kind" text NOT NULL,
	"address" text NOT NULL,
	"address_tag" text NOT NULL,
	"locale" text NOT NULL,
	"status" text NOT NULL,
	"code_hash" text,
	"code_expires_at_ms" bigint,
	"code_tries_left" bigint NOT NULL,
	"failures" bigint NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"verified_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "commit_marks" (
	"id" text PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "commitments" (
	"action_id" text NOT NULL,
	"user_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"grant_id" text NOT NULL,
	"times" bigint NOT NULL,
	"status" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	CONSTRAINT "commitments_action_id_user_id_pk" PRIMARY KEY("action_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "consent_requests" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"manifest_digest" text NOT NULL,
	"terms" text NOT NULL,
	"purpose" text NOT NULL,
	"status" text NOT NULL,
	"grant_id" text,
	"renews_grant_id" text,
	"created_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"decided_at_ms" bigint,
	CONSTRAINT "consent_requests_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "counters" (
	"user_id" text NOT NULL,
	"counter_id" text NOT NULL,
	"lineage_id" text,
	"skill_id" text,
	"action" text,
	"currency" text,
	"zone" text NOT NULL,
	"tail_ms" bigint NOT NULL,
	"period_start_ms" bigint NOT NULL,
	"period_end_ms" bigint NOT NULL,
	"held" bigint NOT NULL,
	"captured" bigint NOT NULL,
	"ceiling" bigint NOT NULL,
	CONSTRAINT "counters_user_id_counter_id_pk" PRIMARY KEY("user_id","counter_id"),
	CONSTRAINT "counters_held_not_negative" CHECK (held >= 0),
	CONSTRAINT "counters_captured_not_negative" CHECK (captured >= 0),
	CONSTRAINT "counters_within_ceiling" CHECK (held + captured <= ceiling),
	CONSTRAINT "counters_safe_integers" CHECK (ceiling <= 9007199254740991)
);
--> statement-breakpoint
CREATE TABLE "debts" (
	"action_id" text NOT NULL,
	"user_id" text NOT NULL,
	"payee" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	"currency" text NOT NULL,
	"paid_by_action_id" text,
	CONSTRAINT "debts_action_id_user_id_pk" PRIMARY KEY("action_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "deployment_marks" (
	"name" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "enrolments" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"kind" text NOT NULL,
	"purpose" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "erasures" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"status" text NOT NULL,
	"step" text NOT NULL,
	"waits_for" text,
	"paused" text NOT NULL,
	"cells" text NOT NULL,
	"requested_at_ms" bigint NOT NULL,
	"due_at_ms" bigint NOT NULL,
	"check_at_ms" bigint NOT NULL,
	"stepped_at_ms" bigint NOT NULL,
	"ended_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "freezes" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"target" text NOT NULL,
	"includes_clean_up" boolean NOT NULL,
	"reason" text NOT NULL,
	"operator_id" text NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "grant_watches" (
	"grant_id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"last_used_at_ms" bigint,
	"told_at_ms" bigint,
	"check_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"lineage_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"terms" text NOT NULL,
	"consented" text NOT NULL,
	"revision" bigint NOT NULL,
	"status" text NOT NULL,
	"one_time" boolean NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"changed_at_ms" bigint NOT NULL,
	CONSTRAINT "grants_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "incidents" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"user_id" text,
	"skill_id" text NOT NULL,
	"action_id" text,
	"detail" text NOT NULL,
	"stops_spending" boolean NOT NULL,
	"status" text NOT NULL,
	"opened_at_ms" bigint NOT NULL,
	"closed_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "key_checks" (
	"name" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL,
	"set_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "leaf_parts" (
	"event_id" text NOT NULL,
	"part" text NOT NULL,
	"cell_id" text NOT NULL,
	"commitment" "bytea" NOT NULL,
	"sealed" "bytea" NOT NULL,
	"user_id" text DEFAULT '' NOT NULL,
	CONSTRAINT "leaf_parts_event_id_part_user_id_pk" PRIMARY KEY("event_id","part","user_id")
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text NOT NULL,
	"fence" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "legal_holds" (
	"user_id" text PRIMARY KEY NOT NULL,
	"operator_id" text NOT NULL,
	"reason" text NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "link_attempts" (
	"state_hash" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"session_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"link" text NOT NULL,
	"manifest_digest" text NOT NULL,
	"verifier" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "linked_accounts" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"link" text NOT NULL,
	"means" text NOT NULL,
	"manifest_digest" text NOT NULL,
	"tokens" text NOT NULL,
	"expires_at_ms" bigint,
	"revision" bigint NOT NULL,
	"status" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"changed_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "log_checkpoints" (
	"tree_size" bigint PRIMARY KEY NOT NULL,
	"root_hash" "bytea" NOT NULL,
	"note" text NOT NULL,
	"at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "log_leaves" (
	"leaf_index" bigint PRIMARY KEY NOT NULL,
	"event_id" text NOT NULL,
	"leaf" "bytea" NOT NULL,
	"leaf_hash" "bytea" NOT NULL,
	"at_ms" bigint NOT NULL,
	CONSTRAINT "log_leaves_event_id_unique" UNIQUE("event_id")
);
--> statement-breakpoint
CREATE TABLE "log_nodes" (
	"level" bigint NOT NULL,
	"node_index" bigint NOT NULL,
	"hash" "bytea" NOT NULL,
	CONSTRAINT "log_nodes_level_node_index_pk" PRIMARY KEY("level","node_index")
);
--> statement-breakpoint
CREATE TABLE "log_queue" (
	"event_id" text NOT NULL,
	"user_id" text NOT NULL,
	"leaf" "bytea" NOT NULL,
	"leaf_hash" "bytea" NOT NULL,
	"at_ms" bigint NOT NULL,
	"queued_us" bigint NOT NULL,
	CONSTRAINT "log_queue_event_id_user_id_pk" PRIMARY KEY("event_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "manifests" (
	"digest" text PRIMARY KEY NOT NULL,
	"skill_id" text NOT NULL,
	"version" bigint NOT NULL,
	"publisher_id" text NOT NULL,
	"canonical" text NOT NULL,
	"signature" text NOT NULL,
	"kid" text NOT NULL,
	"status" text NOT NULL,
	"reason" text,
	"submitted_at_ms" bigint NOT NULL,
	"changed_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "oauth_clients" (
	"id" text PRIMARY KEY NOT NULL,
	"metadata" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"connected_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "oauth_records" (
	"model" text NOT NULL,
	"record_key" text NOT NULL,
	"user_id" text NOT NULL,
	"family_id" text NOT NULL,
	"user_code_tag" text NOT NULL,
	"payload" text NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"consumed_at_ms" bigint,
	CONSTRAINT "oauth_records_model_record_key_pk" PRIMARY KEY("model","record_key")
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"channel_id" text NOT NULL,
	"kind" text NOT NULL,
	"subjects" text NOT NULL,
	"batch" text NOT NULL,
	"attempts" bigint NOT NULL,
	"next_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"sent_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "passkeys" (
	"credential_id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"kind" text NOT NULL,
	"public_key" "bytea" NOT NULL,
	"counter" bigint NOT NULL,
	"transports" text NOT NULL,
	"name" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"last_used_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "past_leaves" (
	"epoch" bigint NOT NULL,
	"leaf_index" bigint NOT NULL,
	"event_id" text NOT NULL,
	"leaf" "bytea" NOT NULL,
	"leaf_hash" "bytea" NOT NULL,
	"at_ms" bigint NOT NULL,
	CONSTRAINT "past_leaves_epoch_leaf_index_pk" PRIMARY KEY("epoch","leaf_index")
);
--> statement-breakpoint
CREATE TABLE "past_logs" (
	"epoch" bigint PRIMARY KEY NOT NULL,
	"origin" text NOT NULL,
	"tree_size" bigint NOT NULL,
	"root_hash" "bytea" NOT NULL,
	"note" text,
	"note_size" bigint NOT NULL,
	"published_size" bigint NOT NULL,
	"published_root" "bytea" NOT NULL,
	"ended_at_ms" bigint NOT NULL,
	"restored_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "past_nodes" (
	"epoch" bigint NOT NULL,
	"level" bigint NOT NULL,
	"node_index" bigint NOT NULL,
	"hash" "bytea" NOT NULL,
	CONSTRAINT "past_nodes_epoch_level_node_index_pk" PRIMARY KEY("epoch","level","node_index")
);
--> statement-breakpoint
CREATE TABLE "people" (
	"user_id" text NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"step_up_above" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"recovered_at_ms" bigint,
	CONSTRAINT "people_user_id_kind_pk" PRIMARY KEY("user_id","kind")
);
--> statement-breakpoint
CREATE TABLE "person_accounts" (
	"account" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"kind" text NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "person_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"kind" text NOT NULL,
	"token_hash" text NOT NULL,
	"channel" text NOT NULL,
	"device" text NOT NULL,
	"via_provider" boolean NOT NULL,
	"signed_in_at_ms" bigint NOT NULL,
	"last_seen_at_ms" bigint NOT NULL,
	"stepped_up_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "publisher_keys" (
	"publisher_id" text NOT NULL,
	"kid" text NOT NULL,
	"jwk" text NOT NULL,
	"state" text NOT NULL,
	"added_by" text NOT NULL,
	"added_at_ms" bigint NOT NULL,
	CONSTRAINT "publisher_keys_publisher_id_kid_pk" PRIMARY KEY("publisher_id","kid")
);
--> statement-breakpoint
CREATE TABLE "publishers" (
	"id" text PRIMARY KEY NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recovery_codes" (
	"code_hash" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"kind" text NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "restore_lifts" (
	"user_id" text NOT NULL,
	"epoch" bigint NOT NULL,
	"lifted_at_ms" bigint NOT NULL,
	CONSTRAINT "restore_lifts_user_id_epoch_pk" PRIMARY KEY("user_id","epoch")
);
--> statement-breakpoint
CREATE TABLE "saved_recipients" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"label" text NOT NULL,
	"value" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	CONSTRAINT "saved_recipients_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "seen_recipients" (
	"user_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"recipient" text NOT NULL,
	"first_at_ms" bigint NOT NULL,
	CONSTRAINT "seen_recipients_user_id_skill_id_recipient_pk" PRIMARY KEY("user_id","skill_id","recipient")
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"started_at_ms" bigint NOT NULL,
	"last_seen_at_ms" bigint NOT NULL,
	"read_untrusted" boolean NOT NULL,
	"categories" text NOT NULL,
	CONSTRAINT "sessions_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "skills" (
	"id" text PRIMARY KEY NOT NULL,
	"publisher_id" text NOT NULL,
	"current_digest" text,
	"highest_version" bigint NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "terminal_logins" (
	"device_hash" text PRIMARY KEY NOT NULL,
	"code_hash" text NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"user_id" text NOT NULL,
	"stepped_up_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "token_families" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"session_id" text NOT NULL,
	"client_id" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"ended_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "user_budgets" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"scope" text NOT NULL,
	"scope_id" text NOT NULL,
	"budget" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	CONSTRAINT "user_budgets_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "user_turns" (
	"user_id" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" text PRIMARY KEY NOT NULL,
	"time_zone" text NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "actions_one_per_key" ON "actions" USING btree ("user_id","agent_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "actions_by_user" ON "actions" USING btree ("user_id","decided_at_ms");--> statement-breakpoint
CREATE INDEX "actions_by_time" ON "actions" USING btree ("decided_at_ms");--> statement-breakpoint
CREATE INDEX "actions_unsettled" ON "actions" USING btree ("user_id","created_at_ms") WHERE status in ('dispatched', 'in_doubt');--> statement-breakpoint
CREATE INDEX "actions_in_doubt" ON "actions" USING btree ("next_check_at_ms") WHERE status = 'in_doubt';--> statement-breakpoint
CREATE INDEX "agents_by_user" ON "agents" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "agents_by_key" ON "agents" USING btree ("user_id","key_thumbprint");--> statement-breakpoint
CREATE INDEX "approvals_by_user" ON "approvals" USING btree ("user_id","status","created_at_ms");--> statement-breakpoint
CREATE INDEX "approvals_by_action" ON "approvals" USING btree ("action_id");--> statement-breakpoint
CREATE INDEX "approvals_by_pair" ON "approvals" USING btree ("user_id","agent_id","skill_id","status");--> statement-breakpoint
CREATE INDEX "approvals_by_time" ON "approvals" USING btree ("created_at_ms");--> statement-breakpoint
CREATE INDEX "ceremonies_by_expiry" ON "ceremonies" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE UNIQUE INDEX "channels_by_address" ON "channels" USING btree ("user_id","kind","address_tag");--> statement-breakpoint
CREATE INDEX "commit_marks_by_time" ON "commit_marks" USING btree ("at_ms");--> statement-breakpoint
CREATE INDEX "commitments_by_user" ON "commitments" USING btree ("user_id","status");--> statement-breakpoint
CREATE INDEX "consent_requests_by_user" ON "consent_requests" USING btree ("user_id","created_at_ms");--> statement-breakpoint
CREATE INDEX "consent_requests_by_time" ON "consent_requests" USING btree ("created_at_ms");--> statement-breakpoint
CREATE INDEX "debts_by_payment" ON "debts" USING btree ("paid_by_action_id");--> statement-breakpoint
CREATE INDEX "enrolments_by_expiry" ON "enrolments" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE INDEX "enrolments_by_person" ON "enrolments" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "erasures_by_user" ON "erasures" USING btree ("user_id","requested_at_ms");--> statement-breakpoint
CREATE INDEX "erasures_due" ON "erasures" USING btree ("check_at_ms") WHERE ended_at_ms is null;--> statement-breakpoint
CREATE INDEX "grants_by_pair" ON "grants" USING btree ("user_id","agent_id","skill_id","status");--> statement-breakpoint
CREATE INDEX "grants_by_user" ON "grants" USING btree ("user_id","created_at_ms");--> statement-breakpoint
CREATE INDEX "incidents_by_status" ON "incidents" USING btree ("status","opened_at_ms");--> statement-breakpoint
CREATE INDEX "incidents_by_user" ON "incidents" USING btree ("user_id","skill_id","status");--> statement-breakpoint
CREATE INDEX "link_attempts_by_user" ON "link_attempts" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "link_attempts_by_expiry" ON "link_attempts" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE UNIQUE INDEX "linked_accounts_one_per_link" ON "linked_accounts" USING btree ("user_id","skill_id","link");--> statement-breakpoint
CREATE INDEX "log_queue_in_order" ON "log_queue" USING btree ("queued_us","event_id");--> statement-breakpoint
CREATE UNIQUE INDEX "manifests_one_digest_per_version" ON "manifests" USING btree ("skill_id","version");--> statement-breakpoint
CREATE INDEX "manifests_by_status" ON "manifests" USING btree ("status","submitted_at_ms");--> statement-breakpoint
CREATE INDEX "manifests_by_key" ON "manifests" USING btree ("publisher_id","kid");--> statement-breakpoint
CREATE INDEX "oauth_clients_by_connection" ON "oauth_clients" USING btree ("connected_at_ms","created_at_ms");--> statement-breakpoint
CREATE INDEX "oauth_records_by_family" ON "oauth_records" USING btree ("family_id");--> statement-breakpoint
CREATE INDEX "oauth_records_by_user_code" ON "oauth_records" USING btree ("user_code_tag");--> statement-breakpoint
CREATE INDEX "oauth_records_by_expiry" ON "oauth_records" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("next_at_ms") WHERE sent_at_ms is null;--> statement-breakpoint
CREATE INDEX "outbox_by_batch" ON "outbox" USING btree ("user_id","channel_id","batch","created_at_ms");--> statement-breakpoint
CREATE INDEX "outbox_by_channel" ON "outbox" USING btree ("channel_id");--> statement-breakpoint
CREATE INDEX "outbox_by_expiry" ON "outbox" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE INDEX "passkeys_by_person" ON "passkeys" USING btree ("user_id","kind");--> statement-breakpoint
CREATE UNIQUE INDEX "past_leaves_by_event" ON "past_leaves" USING btree ("event_id");--> statement-breakpoint
CREATE INDEX "people_by_kind" ON "people" USING btree ("kind");--> statement-breakpoint
CREATE INDEX "person_accounts_by_person" ON "person_accounts" USING btree ("user_id","kind");--> statement-breakpoint
CREATE UNIQUE INDEX "person_sessions_by_token" ON "person_sessions" USING btree ("token_hash");--> statement-breakpoint
CREATE INDEX "person_sessions_by_person" ON "person_sessions" USING btree ("user_id","kind");--> statement-breakpoint
CREATE INDEX "recovery_codes_by_person" ON "recovery_codes" USING btree ("user_id","kind");--> statement-breakpoint
CREATE UNIQUE INDEX "saved_recipients_by_value" ON "saved_recipients" USING btree ("user_id","value");--> statement-breakpoint
CREATE UNIQUE INDEX "terminal_logins_by_code" ON "terminal_logins" USING btree ("code_hash");--> statement-breakpoint
CREATE INDEX "terminal_logins_by_expiry" ON "terminal_logins" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE INDEX "token_families_by_agent" ON "token_families" USING btree ("user_id","agent_id");--> statement-breakpoint
CREATE INDEX "token_families_by_session" ON "token_families" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "user_budgets_by_user" ON "user_budgets" USING btree ("user_id");