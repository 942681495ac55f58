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
CREATE INDEX `terminal_logins_by_expiry` ON `terminal_logins` (`expires_at_ms`);