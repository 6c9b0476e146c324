-- Another system that is told what happens: where, of what, and how far it has been told.
CREATE TABLE webhook (
    id                  TEXT    NOT NULL PRIMARY KEY,
    coop_id             TEXT    REFERENCES coop (id), -- hears of this co-op's records only; NULL: the federation's own
    url                 TEXT    NOT NULL,
    events              TEXT    NOT NULL,             -- JSON list: 'pairing.*'
    description         TEXT    NOT NULL,
    ordered             INTEGER NOT NULL CHECK (ordered IN (0, 1)),
    status              TEXT    NOT NULL CHECK (status IN ('active', 'paused', 'disabled')),
    disabled_reason     TEXT    CHECK (disabled_reason IN ('gone', 'failing')),
    secret              BLOB    NOT NULL CHECK (length(secret) BETWEEN 24 AND 64),
    old_secret          BLOB,                         -- signs too, until its time
    old_secret_until_ms INTEGER,
    position            INTEGER NOT NULL,             -- every event up to this one is settled, or has a delivery
    reached             INTEGER NOT NULL,             -- beyond this event none is
    run                 INTEGER NOT NULL,             -- rises with each replay: what an earlier run reports moves nothing
    failing_since_ms    INTEGER,                      -- the first failure since the last success
    delivered_ms        INTEGER,                      -- the last success
    rev                 INTEGER NOT NULL,
    created_ms          INTEGER NOT NULL,
    updated_ms          INTEGER NOT NULL,
    CHECK ((status = 'disabled') = (disabled_reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_by_coop ON webhook (coop_id);

-- What happened, in order; written with the change while there is a webhook, kept 30 days. Ids only.
CREATE TABLE webhook_event (
    seq       INTEGER PRIMARY KEY,
    id        TEXT    NOT NULL,
    type      TEXT    NOT NULL,
    at_ms     INTEGER NOT NULL,
    record_id TEXT    NOT NULL,
    rev       INTEGER NOT NULL,
    coop_ids  TEXT    NOT NULL, -- whose record it is, with a comma between
    hearers   INTEGER NOT NULL  -- 1: the federation sees the record, 2: its co-ops do
) STRICT;

-- What became of an event at a webhook: none while it is still ahead of the webhook's position.
CREATE TABLE webhook_delivery (
    webhook_id   TEXT    NOT NULL, -- no foreign key: a webhook goes at once, its log piece by piece
    event_seq    INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('delivered', 'waiting', 'held', 'dead')),
    attempts     INTEGER NOT NULL,
    next_ms      INTEGER,          -- when a waiting one is tried again
    tried_ms     INTEGER NOT NULL,
    status       INTEGER,          -- of the last answer
    error        TEXT,             -- why there was none, or none that counts
    milliseconds INTEGER,
    answer       TEXT,             -- the first KiB
    run          INTEGER NOT NULL, -- the webhook's, when this was stored
    record_id    TEXT,             -- in ordered webhooks, where one waits for another of the same record
    PRIMARY KEY (webhook_id, event_seq),
    CHECK ((state = 'waiting') = (next_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, next_ms) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_dead ON webhook_delivery (webhook_id, event_seq) WHERE state = 'dead';
CREATE INDEX webhook_delivery_by_record ON webhook_delivery (webhook_id, record_id, event_seq) WHERE state IN ('waiting', 'held');
-- By which an event is kept for as long as a delivery needs it.
CREATE INDEX webhook_delivery_by_event ON webhook_delivery (event_seq) WHERE state <> 'delivered';
