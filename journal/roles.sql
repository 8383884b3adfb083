-- roles.sql - who may do what in a PostgreSQL journal (DESIGN.md section 6).
--
-- The owner of the schema runs it after each `posteingang migrate`, with the journal's schema first in the
-- search_path:   psql -v ON_ERROR_STOP=1 -f roles.sql
-- The roles are groups: GRANT posteingang_worker TO some_login. Whoever activates bundles, imports facts or
-- reprocesses items is the owner. Nobody but the owner may change or delete a record.

DO $$
DECLARE
	role text;
BEGIN
	-- two installations in one cluster may run this at once
	PERFORM pg_advisory_xact_lock(7302914412);
	FOREACH role IN ARRAY ARRAY['worker', 'clerk', 'sealer', 'expirer', 'auditor'] LOOP
		role := 'posteingang_' || role;
		IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = role) THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN', role);
		END IF;
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
	END LOOP;
END $$;

-- Everybody checks the schema and the name of the journal, and writes records of what he does.
GRANT SELECT ON migration, meta TO posteingang_worker, posteingang_clerk, posteingang_sealer,
	posteingang_expirer, posteingang_auditor;
GRANT INSERT ON record TO posteingang_worker, posteingang_clerk, posteingang_sealer, posteingang_expirer;

-- worker: pull, route, deliver. UPDATE (one) is what a shared lock on the active bundle asks for; the column can
-- hold nothing but 1.
GRANT SELECT, INSERT, UPDATE ON mailbox, source_day, gap, item, item_alias, delivery, task, call_window,
	reply_window TO posteingang_worker;
GRANT SELECT, INSERT ON decision TO posteingang_worker;
GRANT SELECT, INSERT, DELETE ON content, upload TO posteingang_worker;
GRANT SELECT, DELETE ON restored TO posteingang_worker;
GRANT SELECT ON bundle, activation, fact_row, hold TO posteingang_worker;
GRANT SELECT, UPDATE (one) ON active TO posteingang_worker;
GRANT USAGE ON SEQUENCE item_number, task_number, delivery_number TO posteingang_worker;

-- clerk: sees tasks and what was decided, closes tasks; no content.
GRANT SELECT ON mailbox, item, decision, delivery, task TO posteingang_clerk;
GRANT UPDATE (state, outcome, reason, actor, closed) ON task TO posteingang_clerk;
GRANT UPDATE (open, closed, contact_code) ON item TO posteingang_clerk;
GRANT UPDATE (state, reason, changed, fence) ON delivery TO posteingang_clerk;
