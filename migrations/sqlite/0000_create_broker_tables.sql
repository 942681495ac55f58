-- Every table of the broker. STRICT, so that no column holds another type than it says; WITHOUT ROWID where a row
-- is found by its key alone, so that what belongs together lies together.
CREATE TABLE `actions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`agent_id` text NOT NULL,
	`lineage_id` text NOT NULL,
	`idempotency_key` text NOT NULL,
	`request_digest` text NOT NULL,
	`skill_id` text NOT NULL,
	`action` text NOT NULL,
	`status` text NOT NULL,
	`reason` text NOT NULL,
	`deployment_id` text NOT NULL,
	`manifest_digest` text,
	`grant_id` text,
	`approval_id` text,
	`event_id` text,
	`leaf_hash` blob,
	`broker_key` text,
	`sent_digest` text,
	`session_id` text NOT NULL,
	`currency` text,
	`reserved_minor` integer,
	`held_minor` integer NOT NULL,
	`captured_minor` integer NOT NULL,
	`overrun_minor` integer NOT NULL,
	`reserved_at_ms` integer,
	`asked` integer NOT NULL,
	`counted` integer NOT NULL,
	`settle_event_id` text,
	`settled_by` text,
	`created_at_ms` integer NOT NULL,
	`decided_at_ms` integer NOT NULL,
	`settled_at_ms` integer,
	`next_check_at_ms` integer,
	CONSTRAINT "actions_count_when_decided" CHECK(reserved_at_ms is null or reserved_at_ms = decided_at_ms),
	CONSTRAINT "actions_held_not_negative" CHECK(held_minor >= 0),
	CONSTRAINT "actions_captured_not_negative" CHECK(captured_minor >= 0),
	CONSTRAINT "actions_overrun_not_negative" CHECK(overrun_minor >= 0),
	CONSTRAINT "actions_take_at_most_the_reserved" CHECK(held_minor + captured_minor <= coalesce(reserved_minor, 0))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `actions_one_per_key` ON `actions` (`user_id`,`agent_id`,`idempotency_key`);--> statement-breakpoint
CREATE INDEX `actions_by_user` ON `actions` (`user_id`,`decided_at_ms`);--> statement-breakpoint
CREATE INDEX `actions_by_time` ON `actions` (`decided_at_ms`);--> statement-breakpoint
CREATE INDEX `actions_unsettled` ON `actions` (`user_id`,`created_at_ms`) WHERE status in ('dispatched', 'in_doubt');--> statement-breakpoint
CREATE INDEX `actions_in_doubt` ON `actions` (`next_check_at_ms`) WHERE status = 'in_doubt';--> statement-breakpoint
CREATE TABLE `agents` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`lineage_id` text NOT NULL,
	`name` text NOT NULL,
	`public_jwk` text NOT NULL,
	`key_thumbprint` text NOT NULL,
	`deployments` text NOT NULL,
	`status` text NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `agents_by_user` ON `agents` (`user_id`);--> statement-breakpoint
CREATE INDEX `agents_by_key` ON `agents` (`user_id`,`key_thumbprint`);--> statement-breakpoint
CREATE TABLE `approvals` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`agent_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`action` text NOT NULL,
	`action_id` text NOT NULL,
	`digest` text NOT NULL,
	`questions` text NOT NULL,
	`preview_event_id` text,
	`preview_digest` text,
	`status` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`decided_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `approvals_by_user` ON `approvals` (`user_id`,`status`,`created_at_ms`);--> statement-breakpoint
CREATE INDEX `approvals_by_action` ON `approvals` (`action_id`);--> statement-breakpoint
CREATE INDEX `approvals_by_pair` ON `approvals` (`user_id`,`agent_id`,`skill_id`,`status`);--> statement-breakpoint
CREATE TABLE `commitments` (
	`action_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`grant_id` text NOT NULL,
	`times` integer NOT NULL,
	`status` text NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `commitments_by_user` ON `commitments` (`user_id`,`status`);--> statement-breakpoint
CREATE TABLE `consent_requests` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`agent_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`manifest_digest` text NOT NULL,
	`terms` text NOT NULL,
	`purpose` text NOT NULL,
	`status` text NOT NULL,
	`grant_id` text,
	`renews_grant_id` text,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`decided_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `consent_requests_by_user` ON `consent_requests` (`user_id`,`created_at_ms`);--> statement-breakpoint
CREATE TABLE `counters` (
	`user_id` text NOT NULL,
	`counter_id` text NOT NULL,
	`lineage_id` text,
	`skill_id` text,
	`action` text,
	`currency` text,
	`zone` text NOT NULL,
	`tail_ms` integer NOT NULL,
	`period_start_ms` integer NOT NULL,
	`period_end_ms` integer NOT NULL,
	`held` integer NOT NULL,
	`captured` integer NOT NULL,
	`ceiling` integer NOT NULL,
	PRIMARY KEY(`user_id`, `counter_id`),
	CONSTRAINT "counters_held_not_negative" CHECK(held >= 0),
	CONSTRAINT "counters_captured_not_negative" CHECK(captured >= 0),
	CONSTRAINT "counters_within_ceiling" CHECK(held + captured <= ceiling),
	CONSTRAINT "counters_safe_integers" CHECK(ceiling <= 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `debts` (
	`action_id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`payee` text NOT NULL,
	`amount_minor` integer NOT NULL,
	`currency` text NOT NULL,
	`paid_by_action_id` text
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `debts_by_payment` ON `debts` (`paid_by_action_id`);--> statement-breakpoint
CREATE TABLE `freezes` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`target` text NOT NULL,
	`includes_clean_up` integer NOT NULL,
	`reason` text NOT NULL,
	`operator_id` text NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `grants` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`agent_id` text NOT NULL,
	`lineage_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`terms` text NOT NULL,
	`consented` text NOT NULL,
	`revision` integer NOT NULL,
	`status` text NOT NULL,
	`one_time` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`changed_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `grants_by_pair` ON `grants` (`user_id`,`agent_id`,`skill_id`,`status`);--> statement-breakpoint
CREATE INDEX `grants_by_user` ON `grants` (`user_id`,`created_at_ms`);--> statement-breakpoint
CREATE TABLE `incidents` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`user_id` text,
	`skill_id` text NOT NULL,
	`action_id` text,
	`detail` text NOT NULL,
	`stops_spending` integer NOT NULL,
	`status` text NOT NULL,
	`opened_at_ms` integer NOT NULL,
	`closed_at_ms` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `incidents_by_status` ON `incidents` (`status`,`opened_at_ms`);--> statement-breakpoint
CREATE INDEX `incidents_by_user` ON `incidents` (`user_id`,`skill_id`,`status`);--> statement-breakpoint
CREATE TABLE `leaf_parts` (
	`event_id` text NOT NULL,
	`part` text NOT NULL,
	`cell_id` text NOT NULL,
	`commitment` blob NOT NULL,
	`sealed` blob NOT NULL,
	PRIMARY KEY(`event_id`, `part`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `log_checkpoints` (
	`tree_size` integer PRIMARY KEY NOT NULL,
	`root_hash` blob NOT NULL,
	`note` text NOT NULL,
	`at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `log_leaves` (
	`leaf_index` integer PRIMARY KEY NOT NULL,
	`event_id` text NOT NULL,
	`leaf` blob NOT NULL,
	`leaf_hash` blob NOT NULL,
	`at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `log_leaves_event_id_unique` ON `log_leaves` (`event_id`);--> statement-breakpoint
CREATE TABLE `log_nodes` (
	`level` integer NOT NULL,
	`node_index` integer NOT NULL,
	`hash` blob NOT NULL,
	PRIMARY KEY(`level`, `node_index`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `manifests` (
	`digest` text PRIMARY KEY NOT NULL,
	`skill_id` text NOT NULL,
	`version` integer NOT NULL,
	`publisher_id` text NOT NULL,
	`canonical` text NOT NULL,
	`signature` text NOT NULL,
	`kid` text NOT NULL,
	`status` text NOT NULL,
	`reason` text,
	`submitted_at_ms` integer NOT NULL,
	`changed_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `manifests_one_digest_per_version` ON `manifests` (`skill_id`,`version`);--> statement-breakpoint
CREATE INDEX `manifests_by_status` ON `manifests` (`status`,`submitted_at_ms`);--> statement-breakpoint
CREATE INDEX `manifests_by_key` ON `manifests` (`publisher_id`,`kid`);--> statement-breakpoint
CREATE TABLE `publisher_keys` (
	`publisher_id` text NOT NULL,
	`kid` text NOT NULL,
	`jwk` text NOT NULL,
	`state` text NOT NULL,
	`added_by` text NOT NULL,
	`added_at_ms` integer NOT NULL,
	PRIMARY KEY(`publisher_id`, `kid`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `publishers` (
	`id` text PRIMARY KEY NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `saved_recipients` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`label` text NOT NULL,
	`value` text NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `saved_recipients_by_value` ON `saved_recipients` (`user_id`,`value`);--> statement-breakpoint
CREATE TABLE `seen_recipients` (
	`user_id` text NOT NULL,
	`skill_id` text NOT NULL,
	`recipient` text NOT NULL,
	`first_at_ms` integer NOT NULL,
	PRIMARY KEY(`user_id`, `skill_id`, `recipient`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`agent_id` text NOT NULL,
	`started_at_ms` integer NOT NULL,
	`last_seen_at_ms` integer NOT NULL,
	`read_untrusted` integer NOT NULL,
	`categories` text NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `skills` (
	`id` text PRIMARY KEY NOT NULL,
	`publisher_id` text NOT NULL,
	`current_digest` text,
	`highest_version` integer NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `user_budgets` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`scope` text NOT NULL,
	`scope_id` text NOT NULL,
	`budget` text NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `user_budgets_by_user` ON `user_budgets` (`user_id`);--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`time_zone` text NOT NULL,
	`created_at_ms` integer NOT NULL
) STRICT;
