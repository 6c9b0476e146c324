-- Each record's document once, and in the feed what each audience does not see of it; before, every audience had a copy of its own.
CREATE TABLE document (
    rev   INTEGER PRIMARY KEY, -- its record's
    entry TEXT    NOT NULL     -- with its type, id and rev, and every field that somebody sees
) STRICT;

-- And the feed by one number instead of two: a table WITHOUT ROWID keeps whole rows in the inner nodes of its tree too, which gives
-- such a node a dozen branches; under an integer key it has hundreds.
CREATE TABLE feed_by_place (
    place    INTEGER PRIMARY KEY CHECK (place > 0), -- audience × 2⁴⁴ + seq: in each audience the order of change
    entry    ANY,              -- BLOB: how it is made of the record's; TEXT: the entry itself, as formerly; NULL: not (or no longer) visible here
    gone     TEXT,             -- why it is NULL: deleted, scope, erased, merged:<id>
    entered  INTEGER NOT NULL, -- first seq of this record in this audience since its tombstone was last dropped
    type     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    audience INTEGER NOT NULL GENERATED ALWAYS AS (place >> 44) VIRTUAL,
    seq      INTEGER NOT NULL GENERATED ALWAYS AS (place & 0xfffffffffff) VIRTUAL,
    CHECK ((entry IS NULL) = (gone IS NOT NULL))
) STRICT;
INSERT INTO feed_by_place (place, entry, gone, entered, type, id)
    SELECT audience << 44 | seq, entry, gone, entered, type, id FROM feed ORDER BY audience, seq;
DROP TABLE feed;
ALTER TABLE feed_by_place RENAME TO feed;
CREATE INDEX feed_gone ON feed (id, type) WHERE entry IS NULL;
