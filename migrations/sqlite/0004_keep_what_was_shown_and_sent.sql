-- What a person was shown and what a skill was sent, so that an approval and a receipt can be held against it.
-- Rows from before keep nulls; none is rewritten.
ALTER TABLE `actions` ADD `sent_digest` text;--> statement-breakpoint
ALTER TABLE `approvals` ADD `preview_event_id` text;--> statement-breakpoint
ALTER TABLE `approvals` ADD `preview_digest` text;