-- Group sessions: one to five people follow a module of the MOOC together at a co-op, signed up on paper, by telephone or online.

-- SQLite 3.40.1's quick_check takes the first column of a table WITHOUT ROWID for NULL where it is not of the primary key, and
-- so would call every database with a row in `due` damaged. The key comes first.
CREATE TABLE due_by_record (
    type  TEXT    NOT NULL,
    id    TEXT    NOT NULL,
    what  TEXT    NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (type, id, what)
) STRICT, WITHOUT ROWID;
INSERT INTO due_by_record (type, id, what, at_ms) SELECT type, id, what, at_ms FROM due;
DROP TABLE due;
ALTER TABLE due_by_record RENAME TO due;
CREATE INDEX due_by_time ON due (at_ms);

-- Who leads a group: an employee, or another co-operator who volunteers.
CREATE TABLE facilitator (
    id           TEXT    NOT NULL PRIMARY KEY,
    rev          INTEGER NOT NULL,
    own_rev      INTEGER NOT NULL,
    created_ms   INTEGER NOT NULL,
    updated_ms   INTEGER NOT NULL,
    coop_id      TEXT    NOT NULL REFERENCES coop (id),
    display_name TEXT    NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    kind         TEXT    NOT NULL CHECK (kind IN ('employee', 'volunteer_cooperator')),
    contact      TEXT,
    last_session_on TEXT, -- after which a volunteer is forgotten in time
    anonymised_on   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX facilitator_by_coop ON facilitator (coop_id);

CREATE TABLE session (
    id                     TEXT    NOT NULL PRIMARY KEY,
    rev                    INTEGER NOT NULL,
    own_rev                INTEGER NOT NULL,
    created_ms             INTEGER NOT NULL,
    updated_ms             INTEGER NOT NULL,
    coop_id                TEXT    NOT NULL REFERENCES coop (id),
    site_id                TEXT    NOT NULL REFERENCES site (id),
    module_id              TEXT    NOT NULL REFERENCES module (id),
    starts_at              TEXT    NOT NULL, -- UTC
    duration_min           INTEGER NOT NULL CHECK (duration_min BETWEEN 15 AND 240),
    ends_at                TEXT    NOT NULL, -- UTC
    time_zone              TEXT    NOT NULL, -- IANA, the site's
    starts_local           TEXT    NOT NULL, -- there, as YYYY-MM-DDTHH:MM
    capacity               INTEGER NOT NULL CHECK (capacity BETWEEN 1 AND 5),
    mode                   TEXT    NOT NULL CHECK (mode IN ('stations', 'projected')),
    facilitator_id         TEXT             REFERENCES facilitator (id),
    status                 TEXT    NOT NULL CHECK (status IN ('draft', 'open', 'closed', 'held', 'cancelled')),
    forced                 INTEGER NOT NULL CHECK (forced IN (0, 1)), -- opened though the module is not about what the co-op does
    registration_opens_at  TEXT,
    registration_closes_at TEXT    NOT NULL,
    offer_hours            INTEGER NOT NULL CHECK (offer_hours BETWEEN 0 AND 168),
    fit_hours              INTEGER NOT NULL CHECK (fit_hours BETWEEN 0 AND 168),
    ical_sequence          INTEGER NOT NULL,
    free_seats             INTEGER NOT NULL CHECK (free_seats >= 0),
    seats_confirmed        INTEGER NOT NULL,
    seats_offered          INTEGER NOT NULL,
    waiting_parties        INTEGER NOT NULL,
    waiting_seats          INTEGER NOT NULL,
    attended_count         INTEGER NOT NULL,
    CHECK (seats_offered = 0 OR seats_confirmed + seats_offered <= capacity),
    CHECK (status IN ('held', 'cancelled') OR seats_confirmed + seats_offered <= capacity)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_coop ON session (coop_id);
CREATE INDEX session_by_site ON session (site_id, starts_at);
CREATE INDEX session_by_module ON session (module_id);
CREATE INDEX session_by_facilitator ON session (facilitator_id) WHERE facilitator_id IS NOT NULL;
CREATE INDEX session_by_start ON session (starts_at);

-- A party that wants to come. The queue is in the order of queued_at, then entry_no.
CREATE TABLE registration (
    id                  TEXT    NOT NULL PRIMARY KEY,
    rev                 INTEGER NOT NULL,
    own_rev             INTEGER NOT NULL,
    created_ms          INTEGER NOT NULL,
    updated_ms          INTEGER NOT NULL,
    session_id          TEXT    NOT NULL REFERENCES session (id),
    session_starts_at   TEXT    NOT NULL, -- after which the person is forgotten in time
    coop_id             TEXT    NOT NULL REFERENCES coop (id), -- the session's
    entry_no            INTEGER NOT NULL,
    channel             TEXT    NOT NULL CHECK (channel IN ('online', 'email', 'phone', 'paper')),
    received_at         TEXT    NOT NULL,
    queued_at           TEXT    NOT NULL, -- received_at, until the party grows
    keyed_at            TEXT,
    keyed_by            TEXT,             -- the token that keyed it in
    party_size          INTEGER NOT NULL CHECK (party_size BETWEEN 1 AND 5),
    contact_name        TEXT,
    email               TEXT,
    phone               TEXT,
    postal              TEXT,
    profile             TEXT             CHECK (profile IN ('tenant', 'buyer', 'co_owner', 'employee', 'other')),
    needs               TEXT    NOT NULL, -- JSON list
    status              TEXT    NOT NULL CHECK (status IN (
        'waitlisted', 'offered', 'confirmed', 'cancelled', 'expired', 'attended', 'absent', 'session_cancelled')),
    rank                INTEGER,
    not_promoted_reason TEXT             CHECK (not_promoted_reason IN ('full', 'party_too_large', 'behind_larger_party')),
    was_waitlisted      INTEGER NOT NULL CHECK (was_waitlisted IN (0, 1)),
    offer_expires_at    TEXT,
    attended_count      INTEGER          CHECK (attended_count BETWEEN 0 AND party_size),
    contact_task        TEXT    NOT NULL CHECK (contact_task IN ('none', 'to_call', 'done')),
    consent_at          TEXT    NOT NULL,
    notice_version      TEXT    NOT NULL,
    duplicate_suspected INTEGER NOT NULL CHECK (duplicate_suspected IN (0, 1)),
    anonymised_on       TEXT,
    erased_on           TEXT, -- the person asked to be forgotten
    CHECK ((status = 'offered') = (offer_expires_at IS NOT NULL)),
    CHECK (status = 'waitlisted' OR rank IS NULL),
    CHECK (anonymised_on IS NOT NULL OR (contact_name IS NOT NULL AND coalesce(email, phone, postal) IS NOT NULL)),
    UNIQUE (session_id, entry_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX registration_by_coop ON registration (coop_id);

-- What a group has agreed on together, and what it asks.
CREATE TABLE answer (
    id               TEXT    NOT NULL PRIMARY KEY,
    rev              INTEGER NOT NULL,
    own_rev          INTEGER NOT NULL,
    created_ms       INTEGER NOT NULL,
    updated_ms       INTEGER NOT NULL,
    session_id       TEXT    NOT NULL UNIQUE REFERENCES session (id),
    coop_id          TEXT    NOT NULL REFERENCES coop (id), -- the session's
    items            TEXT    NOT NULL, -- JSON list of {activity, answer, agreed}
    questions_raised TEXT    NOT NULL, -- JSON list
    filled_by        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_by_coop ON answer (coop_id);

-- The modules of which a co-op has held a session.
ALTER TABLE coop ADD COLUMN covered_module_ids TEXT NOT NULL DEFAULT '[]'; -- JSON list
