-- What became of each mutation that a device pushed: repeated, it is answered from here. Kept 90 days.
CREATE TABLE push_result (
    token_id   TEXT    NOT NULL,
    mid        TEXT    NOT NULL,
    digest     BLOB    NOT NULL, -- SHA-256 of the mutation, by which the same mid with other content is known
    result     TEXT    NOT NULL, -- JSON as answered
    type       TEXT    NOT NULL, -- the record that it shows, so that its erasure finds it
    id         TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (token_id, mid)
) STRICT, WITHOUT ROWID;
CREATE INDEX push_result_by_time ON push_result (created_ms);
CREATE INDEX push_result_by_record ON push_result (type, id);
