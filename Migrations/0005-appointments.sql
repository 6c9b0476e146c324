-- How co-ops come to a referent, how long they are without one, and when a person's name is forgotten.

-- A co-op's search for a referent, in seven steps, from the day on which the post was opened to the mandate.
CREATE TABLE appointment (
    id                  TEXT    NOT NULL PRIMARY KEY,
    rev                 INTEGER NOT NULL,
    own_rev             INTEGER NOT NULL,
    created_ms          INTEGER NOT NULL,
    updated_ms          INTEGER NOT NULL,
    coop_id             TEXT    NOT NULL REFERENCES coop (id),
    status              TEXT    NOT NULL CHECK (status IN ('open', 'appointed', 'abandoned')),
    opened_on           TEXT    NOT NULL,
    closed_on           TEXT             CHECK (closed_on >= opened_on),
    referent_id         TEXT             REFERENCES referent (id),
    lead_days           INTEGER          CHECK (lead_days >= 0), -- from opened_on to the mandate's started_on
    role_defined_on     TEXT             CHECK (role_defined_on >= opened_on),
    call_written_on     TEXT             CHECK (call_written_on IS NULL OR (role_defined_on IS NOT NULL AND call_written_on >= role_defined_on)),
    call_published_on   TEXT             CHECK (call_published_on IS NULL OR (call_written_on IS NOT NULL AND call_published_on >= call_written_on)),
    selected_on         TEXT             CHECK (selected_on IS NULL OR (call_published_on IS NOT NULL AND selected_on >= call_published_on)),
    announced_on        TEXT             CHECK (announced_on IS NULL OR (selected_on IS NOT NULL AND announced_on >= selected_on)),
    trained_on          TEXT             CHECK (trained_on IS NULL OR (announced_on IS NOT NULL AND trained_on >= announced_on)),
    recognised_on       TEXT             CHECK (recognised_on IS NULL OR (trained_on IS NOT NULL AND recognised_on >= trained_on)),
    role_defined_note   TEXT, -- notes are the manager's alone
    call_written_note   TEXT,
    call_published_note TEXT,
    selected_note       TEXT,
    announced_note      TEXT,
    trained_note        TEXT,
    recognised_note     TEXT,
    CHECK ((status = 'open') = (closed_on IS NULL)),
    CHECK ((status = 'appointed') = (referent_id IS NOT NULL)),
    CHECK ((status = 'appointed') = (lead_days IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX appointment_by_coop ON appointment (coop_id);
CREATE UNIQUE INDEX appointment_one_open ON appointment (coop_id) WHERE status = 'open';
CREATE UNIQUE INDEX appointment_by_referent ON appointment (referent_id) WHERE referent_id IS NOT NULL;

-- The times for which a member co-op had no active referent, once they are over; the present one is the co-op's vacant_since.
CREATE TABLE vacancy (
    coop_id TEXT NOT NULL REFERENCES coop (id),
    since   TEXT NOT NULL,
    until   TEXT NOT NULL CHECK (until > since),
    PRIMARY KEY (coop_id, since)
) STRICT, WITHOUT ROWID;

ALTER TABLE coop ADD COLUMN has_referent INTEGER NOT NULL DEFAULT 0 CHECK (has_referent IN (0, 1));
ALTER TABLE coop ADD COLUMN vacant_since TEXT;
UPDATE coop SET has_referent = EXISTS (SELECT 1 FROM referent WHERE coop_id = coop.id AND status = 'active');
UPDATE coop SET vacant_since = (SELECT max(ended_on) FROM referent WHERE coop_id = coop.id)
WHERE membership = 'member' AND successor_id IS NULL AND has_referent = 0;

-- How long personal data is kept, where it is not for the standard term.
CREATE TABLE retention_term (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE referent ADD COLUMN anonymised_on TEXT; -- since when it says "ancien référent" instead of a name
-- What the retention job looks for.
CREATE INDEX referent_to_forget ON referent (ended_on) WHERE status = 'ended' AND anonymised_on IS NULL;
CREATE INDEX appointment_to_forget ON appointment (closed_on) WHERE closed_on IS NOT NULL;
