-- What is kept of devices, how they come in, and who was forgotten.

-- One-time codes by which a device gets its token. A row is named by the first group of its code; only SHA-256 of the others is here.
CREATE TABLE enrolment (
    name        TEXT    NOT NULL PRIMARY KEY,
    secret_hash BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    coop_id     TEXT    NOT NULL REFERENCES coop (id),
    helper      INTEGER NOT NULL CHECK (helper IN (0, 1)),
    referent_id TEXT             REFERENCES referent (id),
    label       TEXT    NOT NULL,
    expires_ms  INTEGER NOT NULL,
    tries       INTEGER NOT NULL, -- wrong ones
    used_ms     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolment_by_expiry ON enrolment (expires_ms);
CREATE INDEX enrolment_by_coop ON enrolment (coop_id);
CREATE INDEX enrolment_by_referent ON enrolment (referent_id) WHERE referent_id IS NOT NULL;

-- When the holder of a token was seen last, and how far the copy had come that its cursor spoke of. A minute old at most.
CREATE TABLE sighting (
    token_id TEXT    NOT NULL PRIMARY KEY REFERENCES token (id),
    seen_ms  INTEGER NOT NULL,
    app      TEXT,    -- as the device named it
    position INTEGER, -- NULL: it has shown no cursor yet
    head     INTEGER  -- of its audiences, when it showed the cursor
) STRICT, WITHOUT ROWID;

-- Records whose person was erased.
CREATE TABLE erasure (
    id        TEXT    NOT NULL PRIMARY KEY, -- the record's
    type      TEXT    NOT NULL,
    seq       INTEGER NOT NULL,             -- devices whose cursor has passed it have wiped their copy
    erased_ms INTEGER NOT NULL,
    purged_ms INTEGER                       -- when the last bytes had left the file and its log
) STRICT, WITHOUT ROWID;

-- The person asked to be forgotten; the mandate's dates stay.
ALTER TABLE referent ADD COLUMN erased_on TEXT;
