-- The log only grows. Updates, deletes and truncation are refused, and so is any insert that is not the next in line.
-- Triggers need a function here, and these are the only ones: everything else the broker does is plain SQL. ENABLE ALWAYS,
-- since other triggers do not fire where replication replays. No rows are rewritten.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$;
--> statement-breakpoint
CREATE FUNCTION next_leaf_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.leaf_index IS DISTINCT FROM (SELECT coalesce(max(leaf_index) + 1, 0) FROM log_leaves) THEN
    RAISE EXCEPTION 'log_leaves is append-only: leaf_index must be the tree size' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE FUNCTION next_node_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.node_index IS DISTINCT FROM (SELECT coalesce(max(node_index) + 1, 0) FROM log_nodes WHERE level = NEW.level) THEN
    RAISE EXCEPTION 'log_nodes is append-only: node_index must be the next of its level' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE FUNCTION growing_checkpoint_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.tree_size <= (SELECT coalesce(max(tree_size), -1) FROM log_checkpoints) THEN
    RAISE EXCEPTION 'log_checkpoints is append-only: tree_size must grow' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER log_leaves_next_only BEFORE INSERT ON log_leaves FOR EACH ROW EXECUTE FUNCTION next_leaf_only();
--> statement-breakpoint
CREATE TRIGGER log_leaves_no_change BEFORE UPDATE OR DELETE ON log_leaves FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER log_leaves_no_truncate BEFORE TRUNCATE ON log_leaves FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER log_nodes_next_only BEFORE INSERT ON log_nodes FOR EACH ROW EXECUTE FUNCTION next_node_only();
--> statement-breakpoint
CREATE TRIGGER log_nodes_no_change BEFORE UPDATE OR DELETE ON log_nodes FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER log_nodes_no_truncate BEFORE TRUNCATE ON log_nodes FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER log_checkpoints_grow_only BEFORE INSERT ON log_checkpoints FOR EACH ROW EXECUTE FUNCTION growing_checkpoint_only();
--> statement-breakpoint
CREATE TRIGGER log_checkpoints_no_change BEFORE UPDATE OR DELETE ON log_checkpoints FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER log_checkpoints_no_truncate BEFORE TRUNCATE ON log_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
ALTER TABLE log_leaves ENABLE ALWAYS TRIGGER log_leaves_next_only, ENABLE ALWAYS TRIGGER log_leaves_no_change, ENABLE ALWAYS TRIGGER log_leaves_no_truncate;
--> statement-breakpoint
ALTER TABLE log_nodes ENABLE ALWAYS TRIGGER log_nodes_next_only, ENABLE ALWAYS TRIGGER log_nodes_no_change, ENABLE ALWAYS TRIGGER log_nodes_no_truncate;
--> statement-breakpoint
ALTER TABLE log_checkpoints ENABLE ALWAYS TRIGGER log_checkpoints_grow_only, ENABLE ALWAYS TRIGGER log_checkpoints_no_change, ENABLE ALWAYS TRIGGER log_checkpoints_no_truncate;
--> statement-breakpoint
ALTER TABLE log_leaves ADD CONSTRAINT log_leaves_sizes CHECK (leaf_index >= 0 AND length(leaf_hash) = 32 AND length(leaf) BETWEEN 1 AND 65535);
--> statement-breakpoint
ALTER TABLE log_queue ADD CONSTRAINT log_queue_sizes CHECK (length(leaf_hash) = 32 AND length(leaf) BETWEEN 1 AND 65535);
--> statement-breakpoint
ALTER TABLE log_nodes ADD CONSTRAINT log_nodes_sizes CHECK (level > 0 AND node_index >= 0 AND length(hash) = 32);
--> statement-breakpoint
ALTER TABLE log_checkpoints ADD CONSTRAINT log_checkpoints_sizes CHECK (tree_size >= 0 AND length(root_hash) = 32);
--> statement-breakpoint
CREATE FUNCTION open_past_log_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM past_logs WHERE epoch = NEW.epoch) THEN
    RAISE EXCEPTION '% holds logs that have ended', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE FUNCTION next_past_leaf_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.leaf_index IS DISTINCT FROM
    (SELECT coalesce(max(leaf_index) + 1, 0) FROM past_leaves WHERE epoch = NEW.epoch) THEN
    RAISE EXCEPTION 'past_leaves come in order' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER past_leaves_open_only BEFORE INSERT ON past_leaves FOR EACH ROW EXECUTE FUNCTION open_past_log_only();
--> statement-breakpoint
CREATE TRIGGER past_leaves_next_only BEFORE INSERT ON past_leaves FOR EACH ROW EXECUTE FUNCTION next_past_leaf_only();
--> statement-breakpoint
CREATE TRIGGER past_leaves_no_change BEFORE UPDATE OR DELETE ON past_leaves FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER past_leaves_no_truncate BEFORE TRUNCATE ON past_leaves FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER past_nodes_open_only BEFORE INSERT ON past_nodes FOR EACH ROW EXECUTE FUNCTION open_past_log_only();
--> statement-breakpoint
CREATE TRIGGER past_nodes_no_change BEFORE UPDATE OR DELETE ON past_nodes FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER past_nodes_no_truncate BEFORE TRUNCATE ON past_nodes FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER past_logs_no_change BEFORE UPDATE OR DELETE ON past_logs FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER past_logs_no_truncate BEFORE TRUNCATE ON past_logs FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
ALTER TABLE past_leaves ENABLE ALWAYS TRIGGER past_leaves_open_only, ENABLE ALWAYS TRIGGER past_leaves_next_only, ENABLE ALWAYS TRIGGER past_leaves_no_change, ENABLE ALWAYS TRIGGER past_leaves_no_truncate;
--> statement-breakpoint
ALTER TABLE past_nodes ENABLE ALWAYS TRIGGER past_nodes_open_only, ENABLE ALWAYS TRIGGER past_nodes_no_change, ENABLE ALWAYS TRIGGER past_nodes_no_truncate;
--> statement-breakpoint
ALTER TABLE past_logs ENABLE ALWAYS TRIGGER past_logs_no_change, ENABLE ALWAYS TRIGGER past_logs_no_truncate;
