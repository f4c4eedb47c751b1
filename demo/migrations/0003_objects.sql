-- Only objects that somebody has written: every other one is derived from its key.
CREATE TABLE objects (
    key     TEXT    PRIMARY KEY,
    body    TEXT    NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
