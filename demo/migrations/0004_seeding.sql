-- How far seeding has come, so that it runs once and an interrupted one goes on.
CREATE TABLE seeding (
    only    INTEGER PRIMARY KEY CHECK (only = 1),
    n_users INTEGER NOT NULL
) STRICT;
