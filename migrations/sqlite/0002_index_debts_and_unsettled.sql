-- A settlement frees the debt its payment had claimed, and a revoke lists what is not settled; both read every
-- row without these indexes. No rows are rewritten.
CREATE INDEX `actions_unsettled_of_user` ON `actions` (`user_id`,`created_at_ms`) WHERE status in ('dispatched', 'in_doubt');--> statement-breakpoint
CREATE INDEX `debts_by_payment` ON `debts` (`paid_by_action_id`);