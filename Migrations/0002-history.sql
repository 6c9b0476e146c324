-- Who did what to a record, when: names of fields, never their values. No foreign key, since it outlives what it tells of.
CREATE TABLE history (
    type        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    actor       TEXT    NOT NULL, -- a role, operator or clock
    coop_id     TEXT,             -- whose token it was
    token_id    TEXT,
    action      TEXT    NOT NULL CHECK (action IN ('create', 'change', 'delete', 'transition', 'merge')),
    from_status TEXT,
    to_status   TEXT,
    fields      TEXT    NOT NULL, -- names, with a comma between
    PRIMARY KEY (type, id, seq)
) STRICT, WITHOUT ROWID;
