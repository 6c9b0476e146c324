-- The registry: what the federation, its co-ops and their referents are, and the feed that every read is answered from.
--
-- Every record's table begins with the same five columns. `rev` is the seq of the last change of its documents, by which
-- the feed finds them; `own_rev` the seq of the last change of the row's own fields, which If-Match is compared with.

-- One row: the history's newest seq. Never falls, so that no (id, rev) ever names two contents.
CREATE TABLE history_head (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    seq  INTEGER NOT NULL
) STRICT;
INSERT INTO history_head (only, seq) VALUES (1, 0);

-- The histories that cursors may name: each restore of a backup begins a new one at fork_seq of its parent.
CREATE TABLE epoch (
    name      TEXT    NOT NULL PRIMARY KEY,
    parent    TEXT             REFERENCES epoch (name),
    fork_seq  INTEGER NOT NULL,
    first_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the server must keep secret and keep at all: the key of its cursors.
CREATE TABLE secret (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Audiences by number, because a feed row should not repeat a name of 41 characters.
CREATE TABLE audience (
    number INTEGER NOT NULL PRIMARY KEY,
    name   TEXT    NOT NULL UNIQUE
) STRICT;

-- The current document of every record, per audience, in the order of change. A live row's seq is its record's `rev`, so
-- records are found by (audience, rev) and only the rows without a document need an index by id. `audience` is a number
-- of the table above; no foreign key says so, because it would cost a look-up for each row of each write.
CREATE TABLE feed (
    audience INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    type     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    doc      TEXT,             -- JSON as sent; NULL: not (or no longer) visible here
    gone     TEXT,             -- why doc is NULL: deleted, scope, erased, merged:<id>
    entered  INTEGER NOT NULL, -- first seq of this record in this audience since its tombstone was last dropped
    PRIMARY KEY (audience, seq),
    CHECK ((doc IS NULL) = (gone IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX feed_gone ON feed (id, type) WHERE doc IS NULL;

-- The head at the end of each day, by which tombstones are dropped when they are old enough; and how far they were.
CREATE TABLE feed_day (
    day TEXT    NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE feed_floor (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    seq  INTEGER NOT NULL
) STRICT;
INSERT INTO feed_floor (only, seq) VALUES (1, 0);

-- What the clock changes, and when.
CREATE TABLE due (
    at_ms INTEGER NOT NULL,
    type  TEXT    NOT NULL,
    id    TEXT    NOT NULL,
    what  TEXT    NOT NULL,
    PRIMARY KEY (type, id, what)
) STRICT, WITHOUT ROWID;
CREATE INDEX due_by_time ON due (at_ms);

-- The bearer tokens. Only SHA-256 of the secret is here.
CREATE TABLE token (
    id           TEXT    NOT NULL PRIMARY KEY,
    secret_hash  BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    role         TEXT    NOT NULL CHECK (role IN ('federation_admin', 'federation_reader', 'coop_manager', 'referent')),
    coop_id      TEXT             REFERENCES coop (id),
    helper       INTEGER NOT NULL CHECK (helper IN (0, 1)),
    referent_id  TEXT             REFERENCES referent (id),
    label        TEXT    NOT NULL,
    created_ms   INTEGER NOT NULL,
    expires_ms   INTEGER,
    revoked_ms   INTEGER,
    CHECK ((role IN ('coop_manager', 'referent')) = (coop_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX token_by_coop ON token (coop_id) WHERE coop_id IS NOT NULL;
CREATE INDEX token_by_referent ON token (referent_id) WHERE referent_id IS NOT NULL;

-- Answers kept for clients that repeat a POST, a day each.
CREATE TABLE idempotency (
    scope       BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of token, method, path and key
    body_hash   BLOB    NOT NULL,
    status      INTEGER NOT NULL,
    location    TEXT,
    etag        TEXT,
    body        TEXT    NOT NULL,
    type        TEXT,                         -- the record that the body shows, so that its erasure finds it
    id          TEXT,
    created_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_time ON idempotency (created_ms);
CREATE INDEX idempotency_by_record ON idempotency (type, id) WHERE id IS NOT NULL;

-- The federation's lists: rows that it edits.

-- What a co-op does, such as rental or syndic.
CREATE TABLE activity (
    id         TEXT    NOT NULL PRIMARY KEY,
    rev        INTEGER NOT NULL,
    own_rev    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    slug       TEXT    NOT NULL UNIQUE,
    title      TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200)
) STRICT, WITHOUT ROWID;

-- What the workshop's ideas are about.
CREATE TABLE theme (
    id         TEXT    NOT NULL PRIMARY KEY,
    rev        INTEGER NOT NULL,
    own_rev    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    slug       TEXT    NOT NULL UNIQUE,
    title      TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    question   TEXT,
    audience   TEXT             CHECK (audience IN ('interne', 'externe')),
    "order"    INTEGER NOT NULL CHECK ("order" BETWEEN 0 AND 10000)
) STRICT, WITHOUT ROWID;

-- What a theme asks the co-ops.
CREATE TABLE question (
    id         TEXT    NOT NULL PRIMARY KEY,
    rev        INTEGER NOT NULL,
    own_rev    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    slug       TEXT    NOT NULL UNIQUE,
    question   TEXT    NOT NULL CHECK (length(question) BETWEEN 1 AND 500),
    theme_id   TEXT    NOT NULL REFERENCES theme (id),
    "order"    INTEGER NOT NULL CHECK ("order" BETWEEN 0 AND 10000)
) STRICT, WITHOUT ROWID;
CREATE INDEX question_by_theme ON question (theme_id);

-- What the federation offers to help: guides, networks, games. Some have no address.
CREATE TABLE resource (
    id             TEXT    NOT NULL PRIMARY KEY,
    rev            INTEGER NOT NULL,
    own_rev        INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    slug           TEXT    NOT NULL UNIQUE,
    title          TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    kind           TEXT    NOT NULL CHECK (kind IN ('guide', 'network', 'game', 'training', 'page', 'material', 'support', 'approach', 'examples', 'text')),
    url            TEXT,
    url_match      TEXT    NOT NULL CHECK (url_match IN ('certain', 'deduced', 'unknown')),
    url_checked_on TEXT,
    url_ok         INTEGER          CHECK (url_ok IN (0, 1))
) STRICT, WITHOUT ROWID;

-- What the workshop's jury gave; an idea may have several titles.
CREATE TABLE prize (
    id         TEXT    NOT NULL PRIMARY KEY,
    rev        INTEGER NOT NULL,
    own_rev    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    slug       TEXT    NOT NULL UNIQUE,
    titles     TEXT    NOT NULL, -- JSON list
    tagline    TEXT,
    theme_id   TEXT             REFERENCES theme (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX prize_by_theme ON prize (theme_id);

-- The federation's online courses and what they are made of.
CREATE TABLE mooc (
    id         TEXT    NOT NULL PRIMARY KEY,
    rev        INTEGER NOT NULL,
    own_rev    INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    slug       TEXT    NOT NULL UNIQUE,
    title      TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    audience   TEXT    NOT NULL, -- JSON list
    publisher  TEXT,
    access     TEXT,
    url        TEXT,
    aims       TEXT    NOT NULL  -- JSON list
) STRICT, WITHOUT ROWID;

CREATE TABLE module (
    id               TEXT    NOT NULL PRIMARY KEY,
    rev              INTEGER NOT NULL,
    own_rev          INTEGER NOT NULL,
    created_ms       INTEGER NOT NULL,
    updated_ms       INTEGER NOT NULL,
    mooc_id          TEXT    NOT NULL REFERENCES mooc (id),
    slug             TEXT    NOT NULL UNIQUE,
    title            TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    "order"          INTEGER NOT NULL CHECK ("order" BETWEEN 0 AND 10000),
    related_activity TEXT             REFERENCES activity (slug),
    duration_min     INTEGER          CHECK (duration_min BETWEEN 1 AND 1440),
    status           TEXT    NOT NULL CHECK (status IN ('draft', 'published', 'retired'))
) STRICT, WITHOUT ROWID;
CREATE INDEX module_by_mooc ON module (mooc_id, "order");
CREATE INDEX module_by_activity ON module (related_activity) WHERE related_activity IS NOT NULL;

-- A housing co-operative, member of the federation or not. Unknown years are NULL, never 0; the department's code is text.
CREATE TABLE coop (
    id              TEXT    NOT NULL PRIMARY KEY,
    rev             INTEGER NOT NULL,
    own_rev         INTEGER NOT NULL,
    created_ms      INTEGER NOT NULL,
    updated_ms      INTEGER NOT NULL,
    slug            TEXT    NOT NULL UNIQUE,
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    legal_form      TEXT             CHECK (legal_form IN ('SCP', 'SCIC', 'other')),
    department_code TEXT    NOT NULL,
    region_code     TEXT    NOT NULL,
    city            TEXT,
    founded_year    INTEGER          CHECK (founded_year >= 1850),
    coop_since_year INTEGER          CHECK (coop_since_year >= 1850),
    activities      TEXT    NOT NULL, -- JSON list of slugs; coop_activity has the same for filters and foreign keys
    membership      TEXT    NOT NULL CHECK (membership IN ('member', 'former_member', 'applicant', 'unknown')),
    successor_id    TEXT             REFERENCES coop (id),
    website         TEXT,
    email           TEXT,
    phone           TEXT,
    fictitious      INTEGER NOT NULL CHECK (fictitious IN (0, 1)),
    note            TEXT,
    search          TEXT    NOT NULL, -- name, city and slug, folded: what q looks in, and the order of names
    CHECK (coop_since_year IS NULL OR founded_year IS NULL OR coop_since_year >= founded_year)
) STRICT, WITHOUT ROWID;
CREATE INDEX coop_by_name ON coop (search);
CREATE INDEX coop_by_successor ON coop (successor_id) WHERE successor_id IS NOT NULL;

CREATE TABLE coop_activity (
    activity TEXT NOT NULL REFERENCES activity (slug),
    coop_id  TEXT NOT NULL REFERENCES coop (id) ON DELETE CASCADE,
    PRIMARY KEY (activity, coop_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX coop_activity_by_coop ON coop_activity (coop_id);

-- A place of a co-op where people can meet; it may have no workstation at all.
CREATE TABLE site (
    id               TEXT    NOT NULL PRIMARY KEY,
    rev              INTEGER NOT NULL,
    own_rev          INTEGER NOT NULL,
    created_ms       INTEGER NOT NULL,
    updated_ms       INTEGER NOT NULL,
    coop_id          TEXT    NOT NULL REFERENCES coop (id),
    name             TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    address          TEXT,
    workstations     INTEGER NOT NULL CHECK (workstations BETWEEN 0 AND 50),
    projector        INTEGER NOT NULL CHECK (projector IN (0, 1)),
    seats            INTEGER NOT NULL CHECK (seats BETWEEN 1 AND 100),
    step_free_access INTEGER NOT NULL CHECK (step_free_access IN (0, 1)),
    time_zone        TEXT    NOT NULL,
    is_public        INTEGER NOT NULL CHECK (is_public IN (0, 1)) -- whether the co-op is a member
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX site_by_name ON site (coop_id, name);

-- A referent is the person a co-op names to animate its vie coopérative, for as long as the mandate lasts.
CREATE TABLE referent (
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
    status                TEXT    NOT NULL CHECK (status IN ('designated', 'active', 'suspended', 'ended')),
    started_on            TEXT    NOT NULL,
    ended_on              TEXT,
    trained_on            TEXT,
    share_contact_network INTEGER NOT NULL CHECK (share_contact_network IN (0, 1)),
    CHECK ((status = 'ended') = (ended_on IS NOT NULL)),
    CHECK (ended_on IS NULL OR ended_on >= started_on)
) STRICT, WITHOUT ROWID;
CREATE INDEX referent_by_coop ON referent (coop_id);
CREATE UNIQUE INDEX referent_one_primary ON referent (coop_id) WHERE is_primary = 1 AND status = 'active';

-- An idea for the vie coopérative, as a workshop, a co-op or the federation brought it.
CREATE TABLE idea (
    id                     TEXT    NOT NULL PRIMARY KEY,
    rev                    INTEGER NOT NULL,
    own_rev                INTEGER NOT NULL,
    created_ms             INTEGER NOT NULL,
    updated_ms             INTEGER NOT NULL,
    slug                   TEXT    NOT NULL UNIQUE,
    title                  TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    aliases                TEXT    NOT NULL, -- JSON list
    summary                TEXT    NOT NULL,
    steps                  TEXT    NOT NULL, -- JSON list
    variants               TEXT    NOT NULL, -- JSON list of {slug, title, steps}
    examples               TEXT    NOT NULL, -- JSON list
    recurrence             TEXT,
    theme_id               TEXT    NOT NULL REFERENCES theme (id),
    question_id            TEXT             REFERENCES question (id),
    resource_ids           TEXT    NOT NULL, -- JSON list; idea_resource has the same for foreign keys
    prize_ids              TEXT    NOT NULL, -- JSON list; idea_prize has the same for foreign keys
    scope                  TEXT    NOT NULL CHECK (scope IN ('network', 'coop')),
    author_coop_id         TEXT             REFERENCES coop (id),
    origin                 TEXT    NOT NULL CHECK (origin IN ('workshop', 'coop', 'federation')),
    status                 TEXT    NOT NULL CHECK (status IN ('draft', 'submitted', 'published', 'declined', 'archived', 'merged')),
    merged_into_id         TEXT             REFERENCES idea (id),
    federal_status         TEXT    NOT NULL CHECK (federal_status IN ('none', 'studied', 'planned', 'in_progress', 'delivered', 'dropped')),
    federal_visible_from   TEXT,
    federal_status_visible INTEGER NOT NULL CHECK (federal_status_visible IN (0, 1)), -- set by the clock, so that documents do not depend on it
    search                 TEXT    NOT NULL,
    CHECK (scope = 'network' OR author_coop_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX idea_by_theme ON idea (theme_id);
CREATE INDEX idea_by_question ON idea (question_id);
CREATE INDEX idea_by_author ON idea (author_coop_id) WHERE author_coop_id IS NOT NULL;
CREATE INDEX idea_by_canonical ON idea (merged_into_id) WHERE merged_into_id IS NOT NULL;

CREATE TABLE idea_resource (
    resource_id TEXT NOT NULL REFERENCES resource (id),
    idea_id     TEXT NOT NULL REFERENCES idea (id) ON DELETE CASCADE,
    PRIMARY KEY (resource_id, idea_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX idea_resource_by_idea ON idea_resource (idea_id);

CREATE TABLE idea_prize (
    prize_id TEXT NOT NULL REFERENCES prize (id),
    idea_id  TEXT NOT NULL REFERENCES idea (id) ON DELETE CASCADE,
    PRIMARY KEY (prize_id, idea_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX idea_prize_by_idea ON idea_prize (idea_id);
