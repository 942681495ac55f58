-- People who sign in, agents that connect, messages that reach people, and nodes that share a database.
-- STRICT, so that no column holds another type than it says.
CREATE TABLE `ceremonies` (
	`challenge_hash` text PRIMARY KEY NOT NULL,
	`purpose` text NOT NULL,
	`bound_to` text NOT NULL,
	`facts` text NOT NULL,
	`expires_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `ceremonies_by_expiry` ON `ceremonies` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `channels` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`kind` text NOT NULL,
	`address` text NOT NULL,
	`address_tag` text NOT NULL,
	`locale` text NOT NULL,
	`status` text NOT NULL,
	`code_hash` text,
	`code_expires_at_ms` integer,
	`code_tries_left` integer NOT NULL,
	`failures` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`verified_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `channels_by_address` ON `channels` (`user_id`,`kind`,`address_tag`);--> statement-breakpoint
CREATE TABLE `deployment_marks` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `enrolments` (
	`token_hash` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`kind` text NOT NULL,
	`purpose` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `enrolments_by_expiry` ON `enrolments` (`expires_at_ms`);--> statement-breakpoint
CREATE INDEX `enrolments_by_person` ON `enrolments` (`user_id`);--> statement-breakpoint
CREATE TABLE `erasures` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`status` text NOT NULL,
	`step` text NOT NULL,
	`waits_for` text,
	`paused` text NOT NULL,
	`cells` text NOT NULL,
	`requested_at_ms` integer NOT NULL,
	`due_at_ms` integer NOT NULL,
	`check_at_ms` integer NOT NULL,
	`stepped_at_ms` integer NOT NULL,
	`ended_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `erasures_by_user` ON `erasures` (`user_id`,`requested_at_ms`);--> statement-breakpoint
CREATE INDEX `erasures_due` ON `erasures` (`check_at_ms`) WHERE ended_at_ms is null;--> statement-breakpoint
CREATE TABLE `grant_watches` (
	`grant_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`last_used_at_ms` integer,
	`told_at_ms` integer,
	`check_at_ms` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `key_checks` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`set_at_ms` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `leases` (
	`name` text PRIMARY KEY NOT NULL,
	`holder` text NOT NULL,
	`fence` integer NOT NULL,
	`expires_at_ms` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `legal_holds` (
	`user_id` text PRIMARY KEY NOT NULL,
	`operator_id` text NOT NULL,
	`reason` text NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `link_attempts` (
	`state_hash` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`session_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`link` text NOT NULL,
	`manifest_digest` text NOT NULL,
	`verifier` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `link_attempts_by_user` ON `link_attempts` (`user_id`);--> statement-breakpoint
CREATE INDEX `link_attempts_by_expiry` ON `link_attempts` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `linked_accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`link` text NOT NULL,
	`means` text NOT NULL,
	`manifest_digest` text NOT NULL,
	`tokens` text NOT NULL,
	`expires_at_ms` integer,
	`revision` integer NOT NULL,
	`status` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`changed_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `linked_accounts_one_per_link` ON `linked_accounts` (`user_id`,`skill_id`,`link`);--> statement-breakpoint
CREATE TABLE `oauth_clients` (
	`id` text PRIMARY KEY NOT NULL,
	`metadata` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`connected_at_ms` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `oauth_clients_by_connection` ON `oauth_clients` (`connected_at_ms`,`created_at_ms`);--> statement-breakpoint
CREATE TABLE `oauth_records` (
	`model` text NOT NULL,
	`record_key` text NOT NULL,
	`user_id` text NOT NULL,
	`family_id` text NOT NULL,
	`user_code_tag` text NOT NULL,
	`payload` text NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`consumed_at_ms` integer,
	PRIMARY KEY(`model`, `record_key`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `oauth_records_by_family` ON `oauth_records` (`family_id`);--> statement-breakpoint
CREATE INDEX `oauth_records_by_user_code` ON `oauth_records` (`user_code_tag`);--> statement-breakpoint
CREATE INDEX `oauth_records_by_expiry` ON `oauth_records` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`channel_id` text NOT NULL,
	`kind` text NOT NULL,
	`subjects` text NOT NULL,
	`batch` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`sent_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `outbox_due` ON `outbox` (`next_at_ms`) WHERE sent_at_ms is null;--> statement-breakpoint
CREATE INDEX `outbox_by_batch` ON `outbox` (`user_id`,`channel_id`,`batch`,`created_at_ms`);--> statement-breakpoint
CREATE INDEX `outbox_by_channel` ON `outbox` (`channel_id`);--> statement-breakpoint
CREATE INDEX `outbox_by_expiry` ON `outbox` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `passkeys` (
	`credential_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`kind` text NOT NULL,
	`public_key` blob NOT NULL,
	`counter` integer NOT NULL,
	`transports` text NOT NULL,
	`name` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`last_used_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `passkeys_by_person` ON `passkeys` (`user_id`,`kind`);--> statement-breakpoint
CREATE TABLE `past_leaves` (
	`epoch` integer NOT NULL,
	`leaf_index` integer NOT NULL,
	`event_id` text NOT NULL,
	`leaf` blob NOT NULL,
	`leaf_hash` blob NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`epoch`, `leaf_index`)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `past_leaves_by_event` ON `past_leaves` (`event_id`);--> statement-breakpoint
CREATE TABLE `past_logs` (
	`epoch` integer PRIMARY KEY NOT NULL,
	`origin` text NOT NULL,
	`tree_size` integer NOT NULL,
	`root_hash` blob NOT NULL,
	`note` text,
	`note_size` integer NOT NULL,
	`published_size` integer NOT NULL,
	`published_root` blob NOT NULL,
	`ended_at_ms` integer NOT NULL,
	`restored_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `past_nodes` (
	`epoch` integer NOT NULL,
	`level` integer NOT NULL,
	`node_index` integer NOT NULL,
	`hash` blob NOT NULL,
	PRIMARY KEY(`epoch`, `level`, `node_index`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `people` (
	`user_id` text NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`step_up_above` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`recovered_at_ms` integer,
	PRIMARY KEY(`user_id`, `kind`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `people_by_kind` ON `people` (`kind`);--> statement-breakpoint
CREATE TABLE `person_accounts` (
	`account` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`kind` text NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `person_accounts_by_person` ON `person_accounts` (`user_id`,`kind`);--> statement-breakpoint
CREATE TABLE `person_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`kind` text NOT NULL,
	`token_hash` text NOT NULL,
	`channel` text NOT NULL,
	`device` text NOT NULL,
	`via_provider` integer NOT NULL,
	`signed_in_at_ms` integer NOT NULL,
	`last_seen_at_ms` integer NOT NULL,
	`stepped_up_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `person_sessions_by_token` ON `person_sessions` (`token_hash`);--> statement-breakpoint
CREATE INDEX `person_sessions_by_person` ON `person_sessions` (`user_id`,`kind`);--> statement-breakpoint
CREATE TABLE `recovery_codes` (
	`code_hash` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`kind` text NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `recovery_codes_by_person` ON `recovery_codes` (`user_id`,`kind`);--> statement-breakpoint
CREATE TABLE `restore_lifts` (
	`user_id` text NOT NULL,
	`epoch` integer NOT NULL,
	`lifted_at_ms` integer NOT NULL,
	PRIMARY KEY(`user_id`, `epoch`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `terminal_logins` (
	`device_hash` text PRIMARY KEY NOT NULL,
	`code_hash` text NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`user_id` text NOT NULL,
	`stepped_up_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `terminal_logins_by_code` ON `terminal_logins` (`code_hash`);--> statement-breakpoint
CREATE INDEX `terminal_logins_by_expiry` ON `terminal_logins` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `token_families` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`agent_id` text NOT NULL,
	`session_id` text NOT NULL,
	`client_id` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`ended_at_ms` integer
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `token_families_by_agent` ON `token_families` (`user_id`,`agent_id`);--> statement-breakpoint
CREATE INDEX `token_families_by_session` ON `token_families` (`session_id`);--> statement-breakpoint
ALTER TABLE `actions` ADD `node_id` text;--> statement-breakpoint
ALTER TABLE `actions` ADD `doubted_at_ms` integer;--> statement-breakpoint
ALTER TABLE `actions` ADD `settle_leaf_hash` blob;--> statement-breakpoint
ALTER TABLE `agents` ADD `client_id` text;--> statement-breakpoint
ALTER TABLE `agents` ADD `client_host` text;--> statement-breakpoint
ALTER TABLE `leaf_parts` ADD `user_id` text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX `approvals_by_time` ON `approvals` (`created_at_ms`);--> statement-breakpoint
CREATE INDEX `consent_requests_by_time` ON `consent_requests` (`created_at_ms`);
--> statement-breakpoint
-- A log that has ended stays as it was: its leaves come in order, once, and its own row closes it.
CREATE TRIGGER past_leaves_next_only BEFORE INSERT ON past_leaves
WHEN NEW.leaf_index IS NOT (SELECT coalesce(max(leaf_index) + 1, 0) FROM past_leaves WHERE epoch = NEW.epoch)
  OR EXISTS (SELECT 1 FROM past_logs WHERE epoch = NEW.epoch)
  OR length(NEW.leaf_hash) <> 32
BEGIN SELECT RAISE(ABORT, 'past_leaves holds logs that have ended'); END;
--> statement-breakpoint
CREATE TRIGGER past_leaves_no_update BEFORE UPDATE ON past_leaves
BEGIN SELECT RAISE(ABORT, 'past_leaves holds logs that have ended'); END;
--> statement-breakpoint
CREATE TRIGGER past_leaves_no_delete BEFORE DELETE ON past_leaves
BEGIN SELECT RAISE(ABORT, 'past_leaves holds logs that have ended'); END;
--> statement-breakpoint
CREATE TRIGGER past_nodes_closed BEFORE INSERT ON past_nodes
WHEN EXISTS (SELECT 1 FROM past_logs WHERE epoch = NEW.epoch) OR length(NEW.hash) <> 32
BEGIN SELECT RAISE(ABORT, 'past_nodes holds logs that have ended'); END;
--> statement-breakpoint
CREATE TRIGGER past_nodes_no_update BEFORE UPDATE ON past_nodes
BEGIN SELECT RAISE(ABORT, 'past_nodes holds logs that have ended'); END;
--> statement-breakpoint
CREATE TRIGGER past_nodes_no_delete BEFORE DELETE ON past_nodes
BEGIN SELECT RAISE(ABORT, 'past_nodes holds logs that have ended'); END;
--> statement-breakpoint
CREATE TRIGGER past_logs_no_update BEFORE UPDATE ON past_logs
BEGIN SELECT RAISE(ABORT, 'past_logs names logs that have ended'); END;
--> statement-breakpoint
CREATE TRIGGER past_logs_no_delete BEFORE DELETE ON past_logs
BEGIN SELECT RAISE(ABORT, 'past_logs names logs that have ended'); END;
