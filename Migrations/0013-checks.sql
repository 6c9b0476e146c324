-- A list of more than two values in a CHECK has SQLite build a table of them for every row that is written, which costs as much as to
-- write a short row; comparisons joined by OR do not. The tables that are written most, made anew with such checks.

CREATE TABLE referent_anew (
    id                    TEXT    NOT NULL PRIMARY KEY,
    rev                   INTEGER NOT NULL,
    own_rev               INTEGER NOT NULL,
    created_ms            INTEGER NOT NULL,
    updated_ms            INTEGER NOT NULL,
    coop_id               TEXT    NOT NULL REFERENCES coop (id),
    given_name            TEXT    NOT NULL CHECK (length(given_name) BETWEEN 1 AND 100),
    family_name           TEXT    NOT NULL CHECK (length(family_name) BETWEEN 1 AND 100),
    job_title             TEXT,
    work_email            TEXT,
    work_phone            TEXT,
    is_primary            INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    status                TEXT    NOT NULL CHECK (status = 'designated' OR status = 'active' OR status = 'suspended' OR status = 'ended'),
    started_on            TEXT    NOT NULL,
    ended_on              TEXT,
    trained_on            TEXT,
    share_contact_network INTEGER NOT NULL CHECK (share_contact_network IN (0, 1)),
    anonymised_on         TEXT, -- since when it says "ancien référent" instead of a name
    erased_on             TEXT,
    CHECK ((status = 'ended') = (ended_on IS NOT NULL)),
    CHECK (ended_on IS NULL OR ended_on >= started_on)
) STRICT, WITHOUT ROWID;
INSERT INTO referent_anew SELECT * FROM referent;
DROP TABLE referent;
ALTER TABLE referent_anew RENAME TO referent;
CREATE INDEX referent_by_coop ON referent (coop_id);
CREATE UNIQUE INDEX referent_one_primary ON referent (coop_id) WHERE is_primary = 1 AND status = 'active';
CREATE INDEX referent_to_forget ON referent (ended_on) WHERE status = 'ended' AND anonymised_on IS NULL;

CREATE TABLE endorsement_anew (
    id             TEXT    NOT NULL PRIMARY KEY,
    rev            INTEGER NOT NULL,
    own_rev        INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    idea_id        TEXT    NOT NULL REFERENCES idea (id), -- the canonical one
    origin_idea_id TEXT    NOT NULL REFERENCES idea (id), -- the one that was endorsed
    coop_id        TEXT    NOT NULL REFERENCES coop (id),
    by_referent_id TEXT             REFERENCES referent (id),
    status         TEXT    NOT NULL CHECK (status = 'given' OR status = 'covered' OR status = 'withdrawn'),
    withdrawn_at   TEXT,
    is_shared      INTEGER NOT NULL CHECK (is_shared IN (0, 1)), -- whether the network sees the idea
    CHECK ((status = 'withdrawn') = (withdrawn_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO endorsement_anew SELECT * FROM endorsement;
DROP TABLE endorsement;
ALTER TABLE endorsement_anew RENAME TO endorsement;
CREATE UNIQUE INDEX endorsement_one_given ON endorsement (idea_id, coop_id) WHERE status = 'given';
CREATE INDEX endorsement_by_idea ON endorsement (idea_id);
CREATE INDEX endorsement_by_origin ON endorsement (origin_idea_id);
CREATE INDEX endorsement_by_coop ON endorsement (coop_id);
CREATE INDEX endorsement_by_referent ON endorsement (by_referent_id) WHERE by_referent_id IS NOT NULL;

CREATE TABLE registration_anew (
    id                  TEXT    NOT NULL PRIMARY KEY,
    rev                 INTEGER NOT NULL,
    own_rev             INTEGER NOT NULL,
    created_ms          INTEGER NOT NULL,
    updated_ms          INTEGER NOT NULL,
    session_id          TEXT    NOT NULL REFERENCES session (id),
    session_starts_at   TEXT    NOT NULL, -- after which the person is forgotten in time
    coop_id             TEXT    NOT NULL REFERENCES coop (id), -- the session's
    entry_no            INTEGER NOT NULL,
    channel             TEXT    NOT NULL CHECK (channel = 'online' OR channel = 'email' OR channel = 'phone' OR channel = 'paper'),
    received_at         TEXT    NOT NULL,
    queued_at           TEXT    NOT NULL, -- received_at, until the party grows
    keyed_at            TEXT,
    keyed_by            TEXT,             -- the token that keyed it in
    party_size          INTEGER NOT NULL CHECK (party_size BETWEEN 1 AND 5),
    contact_name        TEXT,
    email               TEXT,
    phone               TEXT,
    postal              TEXT,
    profile             TEXT             CHECK (profile = 'tenant' OR profile = 'buyer' OR profile = 'co_owner' OR profile = 'employee' OR profile = 'other'),
    needs               TEXT    NOT NULL, -- JSON list
    status              TEXT    NOT NULL CHECK (
        status = 'waitlisted' OR status = 'offered' OR status = 'confirmed' OR status = 'cancelled' OR status = 'expired' OR status = 'attended'
        OR status = 'absent' OR status = 'session_cancelled'),
    rank                INTEGER,
    not_promoted_reason TEXT             CHECK (not_promoted_reason = 'full' OR not_promoted_reason = 'party_too_large' OR not_promoted_reason = 'behind_larger_party'),
    was_waitlisted      INTEGER NOT NULL CHECK (was_waitlisted IN (0, 1)),
    offer_expires_at    TEXT,
    attended_count      INTEGER          CHECK (attended_count BETWEEN 0 AND party_size),
    contact_task        TEXT    NOT NULL CHECK (contact_task = 'none' OR contact_task = 'to_call' OR contact_task = 'done'),
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
INSERT INTO registration_anew SELECT * FROM registration;
DROP TABLE registration;
ALTER TABLE registration_anew RENAME TO registration;
CREATE INDEX registration_by_coop ON registration (coop_id);
CREATE INDEX registration_figures ON registration (session_id, channel, status, party_size, attended_count, was_waitlisted);

CREATE TABLE history_anew (
    type        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    actor       TEXT    NOT NULL, -- a role, operator or clock
    coop_id     TEXT,             -- whose token it was
    token_id    TEXT,
    action      TEXT    NOT NULL CHECK (action = 'create' OR action = 'change' OR action = 'delete' OR action = 'transition' OR action = 'merge'),
    from_status TEXT,
    to_status   TEXT,
    fields      TEXT    NOT NULL, -- names, with a comma between
    PRIMARY KEY (type, id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO history_anew SELECT * FROM history;
DROP TABLE history;
ALTER TABLE history_anew RENAME TO history;
CREATE INDEX history_of_waiting ON history (id, to_status, from_status) WHERE type = 'registration' AND to_status = 'expired' AND from_status = 'waitlisted';
