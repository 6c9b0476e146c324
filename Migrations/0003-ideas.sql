-- What co-ops do with ideas: they endorse and adopt them, and the federation merges those that are the same.

-- A merged idea keeps the idea that it was merged into itself, so that unmerging one link of a chain restores what was.
ALTER TABLE idea ADD COLUMN merged_via_id TEXT REFERENCES idea (id) CHECK ((merged_via_id IS NULL) = (status <> 'merged'));
ALTER TABLE idea ADD COLUMN merged_idea_ids TEXT NOT NULL DEFAULT '[]';   -- JSON list: the ideas merged into this one
ALTER TABLE idea ADD COLUMN merged_titles TEXT NOT NULL DEFAULT '[]';     -- JSON list: their titles and aliases
ALTER TABLE idea ADD COLUMN endorsement_count INTEGER NOT NULL DEFAULT 0; -- co-ops that endorse it
ALTER TABLE idea ADD COLUMN adoption_count INTEGER NOT NULL DEFAULT 0;    -- co-ops that run it or have completed it
CREATE INDEX idea_by_merger ON idea (merged_via_id) WHERE merged_via_id IS NOT NULL;

-- A co-op's support for an idea. After a merge it counts for the canonical idea; where the co-op endorses that one too, it
-- is covered by the other until an unmerge.
CREATE TABLE endorsement (
    id             TEXT    NOT NULL PRIMARY KEY,
    rev            INTEGER NOT NULL,
    own_rev        INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    idea_id        TEXT    NOT NULL REFERENCES idea (id), -- the canonical one
    origin_idea_id TEXT    NOT NULL REFERENCES idea (id), -- the one that was endorsed
    coop_id        TEXT    NOT NULL REFERENCES coop (id),
    by_referent_id TEXT             REFERENCES referent (id),
    status         TEXT    NOT NULL CHECK (status IN ('given', 'covered', 'withdrawn')),
    withdrawn_at   TEXT,
    is_shared      INTEGER NOT NULL CHECK (is_shared IN (0, 1)), -- whether the network sees the idea
    CHECK ((status = 'withdrawn') = (withdrawn_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX endorsement_one_given ON endorsement (idea_id, coop_id) WHERE status = 'given';
CREATE INDEX endorsement_by_idea ON endorsement (idea_id);
CREATE INDEX endorsement_by_origin ON endorsement (origin_idea_id);
CREATE INDEX endorsement_by_coop ON endorsement (coop_id);
CREATE INDEX endorsement_by_referent ON endorsement (by_referent_id) WHERE by_referent_id IS NOT NULL;

-- A co-op that takes up an idea, or one of its variants: what it has done of the steps, how it went, what it tells others.
CREATE TABLE adoption (
    id             TEXT    NOT NULL PRIMARY KEY,
    rev            INTEGER NOT NULL,
    own_rev        INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    idea_id        TEXT    NOT NULL REFERENCES idea (id), -- the canonical one
    origin_idea_id TEXT    NOT NULL REFERENCES idea (id), -- the one that was adopted
    coop_id        TEXT    NOT NULL REFERENCES coop (id),
    variant        TEXT,
    title          TEXT    NOT NULL, -- title and steps as they were then, so that ticks keep their meaning when the idea is edited
    steps          TEXT    NOT NULL, -- JSON list
    steps_done     TEXT    NOT NULL, -- JSON list of positions in steps, from 0
    status         TEXT    NOT NULL CHECK (status IN ('considering', 'planned', 'running', 'completed', 'abandoned')),
    started_on     TEXT,
    ended_on       TEXT,
    retex_text     TEXT,
    retex_score    INTEGER          CHECK (retex_score BETWEEN 1 AND 5),
    is_shared      INTEGER NOT NULL CHECK (is_shared IN (0, 1)), -- whether the network sees the idea
    CHECK ((status IN ('completed', 'abandoned')) = (ended_on IS NOT NULL)),
    CHECK (started_on IS NULL OR ended_on IS NULL OR ended_on >= started_on)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX adoption_one_open ON adoption (origin_idea_id, coop_id, coalesce(variant, '')) WHERE status IN ('considering', 'planned', 'running');
CREATE INDEX adoption_by_idea ON adoption (idea_id, status);
CREATE INDEX adoption_by_coop ON adoption (coop_id);
