-- Co-ops that accompany each other: an established one sponsors a new one, or two are peers. The two and the federation alone
-- read what they write about their meetings.

CREATE TABLE pairing (
    id                    TEXT    NOT NULL PRIMARY KEY,
    rev                   INTEGER NOT NULL,
    own_rev               INTEGER NOT NULL,
    created_ms            INTEGER NOT NULL,
    updated_ms            INTEGER NOT NULL,
    kind                  TEXT    NOT NULL CHECK (kind IN ('sponsorship', 'peer')),
    sponsor_coop_id       TEXT    NOT NULL REFERENCES coop (id), -- of peers, either
    sponsored_coop_id     TEXT    NOT NULL REFERENCES coop (id),
    status                TEXT    NOT NULL CHECK (status IN ('identified', 'introduced', 'met', 'signed', 'active', 'paused', 'declined', 'closed')),
    identified_on         TEXT    NOT NULL,
    introduced_on         TEXT             CHECK (introduced_on >= identified_on),
    met_on                TEXT             CHECK (met_on >= introduced_on),
    meeting_place         TEXT,
    signed_on             TEXT             CHECK (signed_on >= met_on),
    agreement_ref         TEXT,
    channel               TEXT             CHECK (channel IN ('phone', 'video', 'email', 'chat')),
    cadence_days          INTEGER          CHECK (cadence_days BETWEEN 7 AND 365),
    sponsor_referent_id   TEXT             REFERENCES referent (id),
    sponsored_referent_id TEXT             REFERENCES referent (id),
    topics                TEXT    NOT NULL, -- JSON list
    age_override_reason   TEXT,
    pause_reason          TEXT,
    closed_on             TEXT,
    close_reason          TEXT,
    meeting_count         INTEGER NOT NULL,
    last_meeting_on       TEXT,
    next_meeting_due_on   TEXT,
    CHECK (sponsor_coop_id <> sponsored_coop_id),
    CHECK ((status IN ('declined', 'closed')) = (closed_on IS NOT NULL)),
    CHECK (status = 'paused' OR pause_reason IS NULL),
    CHECK (status NOT IN ('active', 'paused')
        OR (channel IS NOT NULL AND cadence_days IS NOT NULL AND sponsor_referent_id IS NOT NULL AND sponsored_referent_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
-- At most one live pairing of two co-ops, whichever of them sponsors.
CREATE UNIQUE INDEX pairing_one_live ON pairing (
    CASE WHEN sponsor_coop_id < sponsored_coop_id THEN sponsor_coop_id ELSE sponsored_coop_id END,
    CASE WHEN sponsor_coop_id < sponsored_coop_id THEN sponsored_coop_id ELSE sponsor_coop_id END
) WHERE status NOT IN ('declined', 'closed');
CREATE UNIQUE INDEX pairing_one_sponsor ON pairing (sponsored_coop_id) WHERE kind = 'sponsorship' AND status NOT IN ('declined', 'closed');
CREATE INDEX pairing_by_sponsor ON pairing (sponsor_coop_id);
CREATE INDEX pairing_by_sponsored ON pairing (sponsored_coop_id);
CREATE INDEX pairing_by_sponsor_referent ON pairing (sponsor_referent_id) WHERE sponsor_referent_id IS NOT NULL;
CREATE INDEX pairing_by_sponsored_referent ON pairing (sponsored_referent_id) WHERE sponsored_referent_id IS NOT NULL;
CREATE INDEX pairing_by_day ON pairing (identified_on);

-- Each pairing under both of its co-ops, for the filter of lists.
CREATE VIEW pairing_coop (pairing_id, coop_id) AS
    SELECT id, sponsor_coop_id FROM pairing UNION ALL SELECT id, sponsored_coop_id FROM pairing;

CREATE TABLE meeting (
    id                TEXT    NOT NULL PRIMARY KEY,
    rev               INTEGER NOT NULL,
    own_rev           INTEGER NOT NULL,
    created_ms        INTEGER NOT NULL,
    updated_ms        INTEGER NOT NULL,
    pairing_id        TEXT    NOT NULL REFERENCES pairing (id),
    held_on           TEXT    NOT NULL,
    mode              TEXT    NOT NULL CHECK (mode IN ('in_person', 'video', 'phone')),
    place             TEXT,
    referent_ids      TEXT    NOT NULL, -- JSON list; meeting_referent has the same for foreign keys
    minutes           TEXT,
    next_on           TEXT             CHECK (next_on > held_on),
    sponsor_coop_id   TEXT    NOT NULL REFERENCES coop (id), -- the pairing's, who read it
    sponsored_coop_id TEXT    NOT NULL REFERENCES coop (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX meeting_by_pairing ON meeting (pairing_id, held_on);
CREATE INDEX meeting_by_sponsor ON meeting (sponsor_coop_id);
CREATE INDEX meeting_by_sponsored ON meeting (sponsored_coop_id);
CREATE INDEX meeting_by_day ON meeting (held_on);

CREATE TABLE meeting_referent (
    referent_id TEXT NOT NULL REFERENCES referent (id),
    meeting_id  TEXT NOT NULL REFERENCES meeting (id) ON DELETE CASCADE,
    PRIMARY KEY (referent_id, meeting_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX meeting_referent_by_meeting ON meeting_referent (meeting_id);
