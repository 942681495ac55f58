-- Memory items and their ends, notices to skills and agents, enforcement points, and MCP skills.
-- No rows are rewritten.
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
CREATE INDEX "memory_items_by_grant" ON "memory_items" USING btree ("user_id","grant_id","created_at_ms");--> statement-breakpoint
CREATE INDEX "memory_items_by_request" ON "memory_items" USING btree ("user_id","request_hash");--> statement-breakpoint
CREATE INDEX "memory_items_due" ON "memory_items" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE INDEX "memory_items_by_session" ON "memory_items" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "skill_duties_by_skill" ON "skill_duties" USING btree ("user_id","skill_id");--> statement-breakpoint
CREATE INDEX "skill_duties_by_notice" ON "skill_duties" USING btree ("notice_id");--> statement-breakpoint
CREATE INDEX "skill_duties_due" ON "skill_duties" USING btree ("tell_at_ms") WHERE notice_id is null;--> statement-breakpoint
CREATE INDEX "skill_notices_by_user" ON "skill_notices" USING btree ("user_id","queued_at_ms");--> statement-breakpoint
CREATE INDEX "skill_notices_suspending" ON "skill_notices" USING btree ("user_id","skill_id","suspends");--> statement-breakpoint
CREATE INDEX "skill_notices_by_status" ON "skill_notices" USING btree ("status","queued_at_ms");--> statement-breakpoint
CREATE INDEX "skill_notices_due" ON "skill_notices" USING btree ("next_at_ms") WHERE status in ('open', 'refused');