-- The log only grows. Updates and deletes are refused, and so is any insert that is not the next in line,
-- which also stops INSERT OR REPLACE and gaps. No rows are rewritten.
CREATE TRIGGER log_leaves_next_only BEFORE INSERT ON log_leaves
WHEN NEW.leaf_index IS NOT (SELECT coalesce(max(leaf_index) + 1, 0) FROM log_leaves)
  OR length(NEW.leaf_hash) <> 32 OR length(NEW.leaf) NOT BETWEEN 1 AND 65535
BEGIN SELECT RAISE(ABORT, 'log_leaves is append-only: leaf_index must be the tree size'); END;
--> statement-breakpoint
CREATE TRIGGER log_leaves_no_update BEFORE UPDATE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'log_leaves is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER log_leaves_no_delete BEFORE DELETE ON log_leaves
BEGIN SELECT RAISE(ABORT, 'log_leaves is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER log_nodes_next_only BEFORE INSERT ON log_nodes
WHEN NEW.node_index IS NOT (SELECT coalesce(max(node_index) + 1, 0) FROM log_nodes WHERE level = NEW.level)
  OR length(NEW.hash) <> 32
BEGIN SELECT RAISE(ABORT, 'log_nodes is append-only: node_index must be the next of its level'); END;
--> statement-breakpoint
CREATE TRIGGER log_nodes_no_update BEFORE UPDATE ON log_nodes
BEGIN SELECT RAISE(ABORT, 'log_nodes is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER log_nodes_no_delete BEFORE DELETE ON log_nodes
BEGIN SELECT RAISE(ABORT, 'log_nodes is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER log_checkpoints_grow_only BEFORE INSERT ON log_checkpoints
WHEN NEW.tree_size <= (SELECT coalesce(max(tree_size), -1) FROM log_checkpoints)
BEGIN SELECT RAISE(ABORT, 'log_checkpoints is append-only: tree_size must grow'); END;
--> statement-breakpoint
CREATE TRIGGER log_checkpoints_no_update BEFORE UPDATE ON log_checkpoints
BEGIN SELECT RAISE(ABORT, 'log_checkpoints is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER log_checkpoints_no_delete BEFORE DELETE ON log_checkpoints
BEGIN SELECT RAISE(ABORT, 'log_checkpoints is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER log_leaves_hash_bytes BEFORE INSERT ON log_leaves
WHEN typeof(NEW.leaf_hash) <> 'blob' OR typeof(NEW.leaf) <> 'blob'
BEGIN SELECT RAISE(ABORT, 'log_leaves holds bytes'); END;
--> statement-breakpoint
CREATE TRIGGER log_nodes_hash_bytes BEFORE INSERT ON log_nodes
WHEN typeof(NEW.hash) <> 'blob'
BEGIN SELECT RAISE(ABORT, 'log_nodes holds bytes'); END;
--> statement-breakpoint
CREATE TRIGGER log_checkpoints_hash_bytes BEFORE INSERT ON log_checkpoints
WHEN typeof(NEW.root_hash) <> 'blob' OR length(NEW.root_hash) <> 32
BEGIN SELECT RAISE(ABORT, 'log_checkpoints holds a root of 32 bytes'); END;
