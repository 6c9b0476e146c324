-- The action of the month: a co-op collects what its people and teams have done, lets them vote in secret, and announces who won.

CREATE TABLE round (
    id           TEXT    NOT NULL PRIMARY KEY,
    rev          INTEGER NOT NULL,
    own_rev      INTEGER NOT NULL,
    created_ms   INTEGER NOT NULL,
    updated_ms   INTEGER NOT NULL,
    coop_id      TEXT    NOT NULL REFERENCES coop (id),
    month        TEXT    NOT NULL, -- YYYY-MM
    status       TEXT    NOT NULL CHECK (status IN ('collecting', 'voting', 'closed', 'announced')),
    results      TEXT,             -- JSON list of {nomination_id, votes}; counted once, on closing
    winner_ids   TEXT,             -- JSON list: several on a tie, none where nobody voted
    announced_at TEXT,
    CHECK ((status IN ('closed', 'announced')) = (results IS NOT NULL)),
    CHECK ((results IS NULL) = (winner_ids IS NULL)),
    CHECK ((status = 'announced') = (announced_at IS NOT NULL)),
    UNIQUE (coop_id, month)
) STRICT, WITHOUT ROWID;

-- What somebody has done, and is voted on.
CREATE TABLE nomination (
    id          TEXT    NOT NULL PRIMARY KEY,
    rev         INTEGER NOT NULL,
    own_rev     INTEGER NOT NULL,
    created_ms  INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL,
    round_id    TEXT    NOT NULL REFERENCES round (id),
    coop_id     TEXT    NOT NULL REFERENCES coop (id), -- the round's
    title       TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description TEXT,
    author      TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX nomination_by_round ON nomination (round_id);
CREATE INDEX nomination_by_coop ON nomination (coop_id);

-- The ballot box. Who has voted, as a keyed hash, and how often each nomination was voted for stand apart, so that nothing
-- says who voted for which; without rowid, so that nothing says in which order.
CREATE TABLE vote (
    round_id   TEXT NOT NULL REFERENCES round (id),
    voter_hash BLOB NOT NULL CHECK (length(voter_hash) = 32), -- gone 30 days after the announcement
    PRIMARY KEY (round_id, voter_hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE tally (
    nomination_id TEXT    NOT NULL PRIMARY KEY REFERENCES nomination (id),
    votes         INTEGER NOT NULL CHECK (votes > 0)
) STRICT, WITHOUT ROWID;
