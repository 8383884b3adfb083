-- roles.sql - who may do what in a PostgreSQL journal (DESIGN.md section 6).
--
-- The owner of the schema runs it after each `posteingang migrate`, with the journal's schema first in the
-- search_path:   psql -v ON_ERROR_STOP=1 -f roles.sql
-- The roles are groups: GRANT posteingang_worker TO some_login. Whoever activates bundles, imports facts or
-- reprocesses items is the owner. Nobody but the owner may change or delete a record;
-- so it is the owner who lets `expire` end evidence after its ten years.

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
GRANT SELECT ON bundle, activation, fact_row, hold, expired_key TO posteingang_worker;
GRANT SELECT, UPDATE (one) ON active TO posteingang_worker;
GRANT USAGE ON SEQUENCE item_number, task_number, delivery_number TO posteingang_worker;

-- clerk: sees tasks and what was decided, closes tasks; no content.
GRANT SELECT ON mailbox, item, decision, delivery, task TO posteingang_clerk;
GRANT UPDATE (state, outcome, reason, actor, closed) ON task TO posteingang_clerk;
GRANT UPDATE (open, closed, contact_code) ON item TO posteingang_clerk;
GRANT UPDATE (state, reason, changed, fence) ON delivery TO posteingang_clerk;

-- sealer: reads records (they hold no personal data), gives them positions, signs.
GRANT SELECT ON record, leaf, checkpoint, log_cursor, bundle TO posteingang_sealer;
GRANT INSERT ON leaf, checkpoint TO posteingang_sealer;
GRANT UPDATE ON log_cursor TO posteingang_sealer;

-- expirer: deletes content and words, sets holds, keeps the erasure list; reads neither.
GRANT SELECT (id, size, person, received, taken, closed, content_deleted, round) ON item TO posteingang_expirer;
GRANT UPDATE (salt, fields, content_deleted) ON item TO posteingang_expirer;
GRANT SELECT (item, round, findings) ON decision TO posteingang_expirer;
GRANT SELECT (item) ON delivery TO posteingang_expirer;
GRANT UPDATE (params) ON delivery TO posteingang_expirer;
GRANT SELECT (item, kind) ON task TO posteingang_expirer;
GRANT UPDATE (text, params, reason) ON task TO posteingang_expirer;
GRANT SELECT (id), DELETE ON content TO posteingang_expirer;
GRANT SELECT, DELETE ON upload TO posteingang_expirer;
GRANT SELECT (kind, key), DELETE ON fact_row TO posteingang_expirer;
GRANT SELECT, INSERT, UPDATE (released) ON hold TO posteingang_expirer;
GRANT SELECT, INSERT ON erasure TO posteingang_expirer;

-- auditor: sees the log and everything but content, words and source keys, through views of a schema of its own
-- (words and keys read as null) that are empty until audit_read() has written the record that somebody reads. Its logins get
--     ALTER ROLE some_login SET search_path = <schema>_audit, <schema>
DO $$
DECLARE
	main text := current_schema();
	views text := current_schema() || '_audit';
	v record;
BEGIN
	PERFORM pg_advisory_xact_lock(7302914412);
	-- Whoever has said that he reads has a temporary table of the owner's in his connection: it goes with the
	-- connection, and with the transaction of the record if that fails; nobody else can make one of this owner.
	DROP TABLE IF EXISTS audit_reading;
	EXECUTE format('CREATE OR REPLACE FUNCTION %1$I.audit_is_open() RETURNS boolean LANGUAGE sql STABLE'
		' SECURITY DEFINER SET search_path = %1$I, pg_temp AS $f$ SELECT EXISTS (SELECT 1 FROM pg_class'
		' WHERE relnamespace = pg_my_temp_schema() AND relname = ''audit_open'''
		' AND relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)) $f$', main);
	EXECUTE format('CREATE OR REPLACE FUNCTION %1$I.audit_read(command text) RETURNS void LANGUAGE plpgsql'
		' SECURITY DEFINER SET search_path = %1$I, pg_temp AS $f$'
		' DECLARE now_us bigint := CAST(extract(epoch FROM transaction_timestamp()) * 1000000 AS bigint);'
		' BEGIN'
		'  IF command !~ ''^[a-z][a-z ._-]{0,60}$'' THEN RAISE ''audit_read: not a command''; END IF;'
		'  INSERT INTO record (time, event, body) VALUES (now_us, ''log.read'', convert_to('
		'   ''{"actor":'' || to_json(''db:'' || session_user) || '',"detail":{"command":'' || to_json(command)'
		'   || ''},"event":"log.read","time":'' || now_us || '',"v":1}'', ''UTF8''));'
		'  CREATE TEMPORARY TABLE IF NOT EXISTS audit_open ();'
		' END $f$', main);
	EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', views);
	FOR v IN SELECT * FROM (VALUES
		('record', '*'), ('leaf', '*'), ('checkpoint', '*'), ('log_cursor', '*'), ('bundle', '*'),
		('activation', '*'), ('active', '*'), ('decision', '*'), ('source_day', '*'),
		('item_alias', 'mailbox, item, time, CAST(NULL AS text) AS key'), ('expired_key', 'mailbox, item, taken'),
		('mailbox', 'id, source, name, waiting, last_success, last_failure, failure'),
		('gap', 'mailbox, kind, reason, size, time, cleared, CAST(NULL AS text) AS key'),
		('item', 'id, mailbox, channel, received, taken, size, sha256, salt, future, duplicate_of, state, decided,'
			' round, relevance, contact_code, person, open, closed, content_deleted, digest,'
			' CAST(NULL AS text) AS key, CAST(NULL AS text) AS fields'),
		('delivery', 'id, item, handler, key, not_before, due, state, attempts, at_most_once, task, receipt,'
			' reason, created, changed, CAST(NULL AS text) AS params'),
		('task', 'id, item, kind, state, outcome, actor, created, not_before, closed, concern, posted,'
			' CAST(NULL AS text) AS reason, CAST(NULL AS text) AS text, CAST(NULL AS text) AS params'),
		('hold', 'id, item, person, actor, created, released'),
		('erasure', 'id, item, person, actor, time')) AS t (name, columns)
	LOOP
		EXECUTE format('DROP VIEW IF EXISTS %I.%I', views, v.name);
		EXECUTE format('CREATE VIEW %I.%I AS SELECT %s FROM %I.%I WHERE (SELECT %I.audit_is_open())',
			views, v.name, v.columns, main, v.name, main);
		EXECUTE format('GRANT SELECT ON %I.%I TO posteingang_auditor', views, v.name);
	END LOOP;
	EXECUTE format('GRANT USAGE ON SCHEMA %I TO posteingang_auditor', views);
	EXECUTE 'REVOKE ALL ON FUNCTION audit_read(text), audit_is_open() FROM PUBLIC';
	EXECUTE 'GRANT EXECUTE ON FUNCTION audit_read(text), audit_is_open() TO posteingang_auditor';
END $$;
