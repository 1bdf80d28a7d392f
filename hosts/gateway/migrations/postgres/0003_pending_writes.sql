-- What registries were asked under a lock and have not answered. A row that the holder of a lock finds was left by one that lost it.
--
-- It is not logged: a crash of the database empties it, and its start is waited out then.
create unlogged table pending_writes (
    id text collate "C" primary key,
    repository text collate "C" not null,
    -- Whether its lock was held alone.
    is_exclusive boolean not null,
    -- When it was found to be left.
    found timestamptz
);

create index pending_writes_by_repository on pending_writes (repository);
