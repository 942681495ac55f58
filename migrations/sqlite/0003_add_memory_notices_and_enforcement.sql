-- Memory items and their ends, notices to skills and agents, enforcement points, and MCP skills.
-- STRICT, so that no column holds another type than it says. No rows are rewritten.
CREATE TABLE `agent_callbacks` (
	`agent_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`url` text NOT NULL,
	`set_at_ms` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `enforcement_credentials` (
	`id` text PRIMARY KEY NOT NULL,
	`point_id` text NOT NULL,
	`digest` text NOT NULL,
	`public_jwk` text,
	`created_at_ms` integer NOT NULL,
	`ends_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `enforcement_credentials_by_digest` ON `enforcement_credentials` (`digest`);--> statement-breakpoint
CREATE INDEX `enforcement_credentials_by_point` ON `enforcement_credentials` (`point_id`);--> statement-breakpoint
CREATE TABLE `enforcement_points` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`skills` text NOT NULL,
	`publisher_id` text,
	`may_list_users` integer NOT NULL,
	`report_within_ms` integer NOT NULL,
	`status` text NOT NULL,
	`registered_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`changed_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `event_deliveries` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`revocation_id` text NOT NULL,
	`receiver_kind` text NOT NULL,
	`receiver_id` text NOT NULL,
	`payload` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`answered_at_ms` integer,
	`fault` text
) STRICT;
--> statement-breakpoint
CREATE INDEX `event_deliveries_due` ON `event_deliveries` (`next_at_ms`) WHERE status = 'waiting';--> statement-breakpoint
CREATE INDEX `event_deliveries_by_revocation` ON `event_deliveries` (`user_id`,`revocation_id`);--> statement-breakpoint
CREATE INDEX `event_deliveries_by_expiry` ON `event_deliveries` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `memory_items` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`agent_id` text NOT NULL,
	`grant_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`memory_class` text NOT NULL,
	`session_id` text,
	`request_hash` blob NOT NULL,
	`cell_id` text NOT NULL,
	`size_bytes` integer NOT NULL,
	`head` blob NOT NULL,
	`content` blob NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`ended` text
) STRICT;
--> statement-breakpoint
CREATE INDEX `memory_items_by_grant` ON `memory_items` (`user_id`,`grant_id`,`created_at_ms`);--> statement-breakpoint
CREATE INDEX `memory_items_by_request` ON `memory_items` (`user_id`,`request_hash`);--> statement-breakpoint
CREATE INDEX `memory_items_due` ON `memory_items` (`expires_at_ms`);--> statement-breakpoint
CREATE INDEX `memory_items_by_session` ON `memory_items` (`session_id`) WHERE session_id is not null and ended is null;--> statement-breakpoint
CREATE TABLE `revocations` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`scope_kind` text NOT NULL,
	`scope_id` text NOT NULL,
	`at_ms` integer NOT NULL,
	`event_id` text NOT NULL,
	`ended` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `revocations_by_user` ON `revocations` (`user_id`,`at_ms`);--> statement-breakpoint
CREATE TABLE `revoked_actions` (
	`revocation_id` text NOT NULL,
	`action_id` text NOT NULL,
	`user_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`status_then` text NOT NULL,
	`cancel` text,
	`cancel_at_ms` integer,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`revocation_id`, `action_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `revoked_actions_open` ON `revoked_actions` (`at_ms`) WHERE cancel is null;--> statement-breakpoint
CREATE TABLE `skill_duties` (
	`action_id` text NOT NULL,
	`memory_class` text NOT NULL,
	`user_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`pairwise_id` text NOT NULL,
	`agent_id` text NOT NULL,
	`grant_id` text NOT NULL,
	`manifest_digest` text NOT NULL,
	`until_ms` integer NOT NULL,
	`tell_at_ms` integer NOT NULL,
	`notice_id` text,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`action_id`, `memory_class`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `skill_duties_by_skill` ON `skill_duties` (`user_id`,`skill_id`);--> statement-breakpoint
CREATE INDEX `skill_duties_by_notice` ON `skill_duties` (`notice_id`);--> statement-breakpoint
CREATE INDEX `skill_duties_due` ON `skill_duties` (`tell_at_ms`) WHERE notice_id is null;--> statement-breakpoint
CREATE TABLE `skill_notices` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`publisher_id` text NOT NULL,
	`pairwise_id` text NOT NULL,
	`manifest_digest` text NOT NULL,
	`reason` text NOT NULL,
	`scope` text NOT NULL,
	`agent_id` text,
	`grant_id` text,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at_ms` integer NOT NULL,
	`due_at_ms` integer NOT NULL,
	`give_up_at_ms` integer NOT NULL,
	`fault` text,
	`answer_code` text,
	`suspends` integer NOT NULL,
	`queued_at_ms` integer NOT NULL,
	`sent_at_ms` integer,
	`answered_at_ms` integer,
	`overdue_at_ms` integer,
	`queued_event_id` text NOT NULL,
	`sent_event_id` text,
	`answer_event_id` text,
	`incident_id` text
) STRICT;
--> statement-breakpoint
CREATE INDEX `skill_notices_by_user` ON `skill_notices` (`user_id`,`queued_at_ms`);--> statement-breakpoint
CREATE INDEX `skill_notices_suspending` ON `skill_notices` (`user_id`,`skill_id`,`suspends`);--> statement-breakpoint
CREATE INDEX `skill_notices_by_status` ON `skill_notices` (`status`,`queued_at_ms`);--> statement-breakpoint
CREATE INDEX `skill_notices_due` ON `skill_notices` (`next_at_ms`) WHERE status in ('open', 'refused');--> statement-breakpoint
CREATE TABLE `status_entries` (
	`epoch` integer NOT NULL,
	`list_no` integer NOT NULL,
	`idx` integer NOT NULL,
	`grant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`agent_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`status` integer NOT NULL,
	`changed_at_ms` integer NOT NULL,
	PRIMARY KEY(`epoch`, `list_no`, `idx`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `status_entries_by_grant` ON `status_entries` (`grant_id`);--> statement-breakpoint
CREATE INDEX `status_entries_by_user` ON `status_entries` (`user_id`);--> statement-breakpoint
CREATE INDEX `status_entries_by_change` ON `status_entries` (`epoch`,`list_no`,`changed_at_ms`);--> statement-breakpoint
CREATE TABLE `undo_items` (
	`job_id` text NOT NULL,
	`action_id` text NOT NULL,
	`user_id` text NOT NULL,
	`status` text NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`job_id`, `action_id`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `undo_items_by_job` ON `undo_items` (`job_id`,`status`);--> statement-breakpoint
CREATE TABLE `undo_jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`incident_id` text NOT NULL,
	`operator_id` text NOT NULL,
	`reason` text NOT NULL,
	`status` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`ended_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `undo_jobs_by_incident` ON `undo_jobs` (`incident_id`,`created_at_ms`);--> statement-breakpoint
CREATE TABLE `undos` (
	`action_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`status` text NOT NULL,
	`asked_by` text NOT NULL,
	`attempts` integer NOT NULL,
	`asked_at_ms` integer NOT NULL,
	`answered_at_ms` integer
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `erasures` ADD `scope` text DEFAULT 'everything' NOT NULL;--> statement-breakpoint
ALTER TABLE `erasures` ADD `scope_id` text;--> statement-breakpoint
ALTER TABLE `erasures` ADD `parts_total` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `erasures` ADD `parts_done` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `grants_by_skill` ON `grants` (`skill_id`,`user_id`);