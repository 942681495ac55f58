-- Hashes are 32 bytes, not 32 characters of text, and a checkpoint's root is one too. No rows are rewritten.
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
