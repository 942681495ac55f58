-- Memory items and their ends, notices to skills and agents, enforcement points, and MCP skills.
-- No rows are rewritten.
CREATE TABLE "agent_callbacks" (
	"agent_id" text NOT NULL,
	"user_id" text NOT NULL,
	"url" text NOT NULL,
	"set_at_ms" bigint NOT NULL,
	CONSTRAINT "agent_callbacks_agent_id_user_id_pk" PRIMARY KEY("agent_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "enforcement_credentials" (
	"id" text PRIMARY KEY NOT NULL,
	"point_id" text NOT NULL,
	"digest" text NOT NULL,
	"public_jwk" text,
	"created_at_ms" bigint NOT NULL,
	"ends_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "enforcement_points" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"skills" text NOT NULL,
	"publisher_id" text,
	"may_list_users" boolean NOT NULL,
	"report_within_ms" bigint NOT NULL,
	"status" text NOT NULL,
	"registered_by" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"changed_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "event_deliveries" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"revocation_id" text NOT NULL,
	"receiver_kind" text NOT NULL,
	"receiver_id" text NOT NULL,
	"payload" text NOT NULL,
	"status" text NOT NULL,
	"attempts" bigint NOT NULL,
	"next_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"answered_at_ms" bigint,
	"fault" text,
	CONSTRAINT "event_deliveries_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "memory_items" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"grant_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"memory_class" text NOT NULL,
	"session_id" text,
	"request_hash" "bytea" NOT NULL,
	"cell_id" text NOT NULL,
	"size_bytes" bigint NOT NULL,
	"head" "bytea" NOT NULL,
	"content" "bytea" NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"ended" text,
	CONSTRAINT "memory_items_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "revocations" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"scope_kind" text NOT NULL,
	"scope_id" text NOT NULL,
	"at_ms" bigint NOT NULL,
	"event_id" text NOT NULL,
	"ended" text NOT NULL,
	CONSTRAINT "revocations_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "revoked_actions" (
	"revocation_id" text NOT NULL,
	"action_id" text NOT NULL,
	"user_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"status_then" text NOT NULL,
	"cancel" text,
	"cancel_at_ms" bigint,
	"at_ms" bigint NOT NULL,
	CONSTRAINT "revoked_actions_revocation_id_action_id_user_id_pk" PRIMARY KEY("revocation_id","action_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "skill_duties" (
	"action_id" text NOT NULL,
	"memory_class" text NOT NULL,
	"user_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"pairwise_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"grant_id" text NOT NULL,
	"manifest_digest" text NOT NULL,
	"until_ms" bigint NOT NULL,
	"tell_at_ms" bigint NOT NULL,
	"notice_id" text,
	"created_at_ms" bigint NOT NULL,
	CONSTRAINT "skill_duties_action_id_memory_class_user_id_pk" PRIMARY KEY("action_id","memory_class","user_id")
);
--> statement-breakpoint
CREATE TABLE "skill_notices" (
	"id" text NOT NULL,
	"user_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"publisher_id" text NOT NULL,
	"pairwise_id" text NOT NULL,
	"manifest_digest" text NOT NULL,
	"reason" text NOT NULL,
	"scope" text NOT NULL,
	"agent_id" text,
	"grant_id" text,
	"status" text NOT NULL,
	"attempts" bigint NOT NULL,
	"next_at_ms" bigint NOT NULL,
	"due_at_ms" bigint NOT NULL,
	"give_up_at_ms" bigint NOT NULL,
	"fault" text,
	"answer_code" text,
	"suspends" boolean NOT NULL,
	"queued_at_ms" bigint NOT NULL,
	"sent_at_ms" bigint,
	"answered_at_ms" bigint,
	"overdue_at_ms" bigint,
	"queued_event_id" text NOT NULL,
	"sent_event_id" text,
	"answer_event_id" text,
	"incident_id" text,
	CONSTRAINT "skill_notices_id_user_id_pk" PRIMARY KEY("id","user_id")
);
--> statement-breakpoint
CREATE TABLE "status_entries" (
	"epoch" bigint NOT NULL,
	"list_no" bigint NOT NULL,
	"idx" bigint NOT NULL,
	"grant_id" text NOT NULL,
	"user_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"skill_id" text NOT NULL,
	"status" bigint NOT NULL,
	"changed_at_ms" bigint NOT NULL,
	CONSTRAINT "status_entries_epoch_list_no_idx_pk" PRIMARY KEY("epoch","list_no","idx")
);
--> statement-breakpoint
CREATE TABLE "undo_items" (
	"job_id" text NOT NULL,
	"action_id" text NOT NULL,
	"user_id" text NOT NULL,
	"status" text NOT NULL,
	"at_ms" bigint NOT NULL,
	CONSTRAINT "undo_items_job_id_action_id_user_id_pk" PRIMARY KEY("job_id","action_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "undo_jobs" (
	"id" text PRIMARY KEY NOT NULL,
	"incident_id" text NOT NULL,
	"operator_id" text NOT NULL,
	"reason" text NOT NULL,
	"status" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"ended_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "undos" (
	"action_id" text NOT NULL,
	"user_id" text NOT NULL,
	"status" text NOT NULL,
	"asked_by" text NOT NULL,
	"attempts" bigint NOT NULL,
	"asked_at_ms" bigint NOT NULL,
	"answered_at_ms" bigint,
	CONSTRAINT "undos_action_id_user_id_pk" PRIMARY KEY("action_id","user_id")
);
--> statement-breakpoint
ALTER TABLE "erasures" ADD COLUMN "scope" text DEFAULT 'everything' NOT NULL;--> statement-breakpoint
ALTER TABLE "erasures" ADD COLUMN "scope_id" text;--> statement-breakpoint
ALTER TABLE "erasures" ADD COLUMN "parts_total" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "erasures" ADD COLUMN "parts_done" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "enforcement_credentials_by_digest" ON "enforcement_credentials" USING btree ("digest");--> statement-breakpoint
CREATE INDEX "enforcement_credentials_by_point" ON "enforcement_credentials" USING btree ("point_id");--> statement-breakpoint
CREATE INDEX "event_deliveries_due" ON "event_deliveries" USING btree ("next_at_ms") WHERE status = 'waiting';--> statement-breakpoint
CREATE INDEX "event_deliveries_by_revocation" ON "event_deliveries" USING btree ("user_id","revocation_id");--> statement-breakpoint
CREATE INDEX "event_deliveries_by_expiry" ON "event_deliveries" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE INDEX "memory_items_by_grant" ON "memory_items" USING btree ("user_id","grant_id","created_at_ms");--> statement-breakpoint
CREATE INDEX "memory_items_by_request" ON "memory_items" USING btree ("user_id","request_hash");--> statement-breakpoint
CREATE INDEX "memory_items_due" ON "memory_items" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE INDEX "memory_items_by_session" ON "memory_items" USING btree ("session_id") WHERE session_id is not null and ended is null;--> statement-breakpoint
CREATE INDEX "revocations_by_user" ON "revocations" USING btree ("user_id","at_ms");--> statement-breakpoint
CREATE INDEX "revoked_actions_open" ON "revoked_actions" USING btree ("at_ms") WHERE cancel is null;--> statement-breakpoint
CREATE INDEX "skill_duties_by_skill" ON "skill_duties" USING btree ("user_id","skill_id");--> statement-breakpoint
CREATE INDEX "skill_duties_by_notice" ON "skill_duties" USING btree ("notice_id");--> statement-breakpoint
CREATE INDEX "skill_duties_due" ON "skill_duties" USING btree ("tell_at_ms") WHERE notice_id is null;--> statement-breakpoint
CREATE INDEX "skill_notices_by_user" ON "skill_notices" USING btree ("user_id","queued_at_ms");--> statement-breakpoint
CREATE INDEX "skill_notices_suspending" ON "skill_notices" USING btree ("user_id","skill_id","suspends");--> statement-breakpoint
CREATE INDEX "skill_notices_by_status" ON "skill_notices" USING btree ("status","queued_at_ms");--> statement-breakpoint
CREATE INDEX "skill_notices_due" ON "skill_notices" USING btree ("next_at_ms") WHERE status in ('open', 'refused');--> statement-breakpoint
CREATE INDEX "status_entries_by_grant" ON "status_entries" USING btree ("grant_id");--> statement-breakpoint
CREATE INDEX "status_entries_by_user" ON "status_entries" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "status_entries_by_change" ON "status_entries" USING btree ("epoch","list_no","changed_at_ms");--> statement-breakpoint
CREATE INDEX "undo_items_by_job" ON "undo_items" USING btree ("job_id","status");--> statement-breakpoint
CREATE INDEX "undo_jobs_by_incident" ON "undo_jobs" USING btree ("incident_id","created_at_ms");--> statement-breakpoint
CREATE INDEX "grants_by_skill" ON "grants" USING btree ("skill_id","user_id");