CREATE TABLE posts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    author_id     INTEGER NOT NULL REFERENCES users (id),
    title         TEXT    NOT NULL,
    body          TEXT    NOT NULL,
    visibility    TEXT    NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'draft')),
    version       INTEGER NOT NULL DEFAULT 1,
    updated_at_ms INTEGER NOT NULL
) STRICT;

-- A timeline page is one backward walk over this index.
CREATE INDEX posts_timeline ON posts (author_id, visibility, id);
