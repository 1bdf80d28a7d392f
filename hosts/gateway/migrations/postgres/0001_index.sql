-- What the gateway knows of the artifacts behind it: which there are, since when, and what may be done with them.
--
-- Times are in units of 100 nanoseconds since 1970, flags are 0 and 1. Names are compared byte by byte. The tables are those of SQLite.

create table repositories (
    name text collate "C" primary key,
    created bigint not null,
    updated bigint not null,
    -- When its list of tags was last compared with the registry's; null: never.
    synced bigint
);

create table tags (
    repository text collate "C" not null,
    name text collate "C" not null,
    digest text collate "C" not null,
    created bigint not null,
    -- When it last moved.
    updated bigint not null,
    -- When the registry last said where it points.
    seen bigint not null,
    primary key (repository, name)
);

create index tags_by_time on tags (repository, updated, name);
create index tags_by_digest on tags (repository, digest);

create table manifests (
    repository text collate "C" not null,
    digest text collate "C" not null,
    created bigint not null,
    updated bigint not null,
    seen bigint not null,
    primary key (repository, digest)
);

create index manifests_by_time on manifests (repository, updated, digest);

-- What is true of a manifest for ever, whichever repository it is in.
create table facts (
    digest text collate "C" primary key,
    media_type text not null,
    -- The layers of an image, the images of an index; in bytes.
    image_size bigint not null,
    config_media_type text,
    architecture text,
    os text,
    -- When its maker says that it was made.
    made bigint,
    -- JSON: `[{"digest":…,"architecture":…,"os":…}]`, empty for what is no index.
    refs text not null
);

-- What may be done. Nothing that may be done entirely has a row.
create table attributes (
    repository text collate "C" not null,
    kind text collate "C" not null check (kind in ('repository', 'tag', 'manifest')),
    -- The tag or the digest; empty for the repository.
    name text collate "C" not null,
    -- 1 delete, 2 write, 4 list, 8 read.
    bits bigint not null check (bits between 0 and 14),
    primary key (repository, kind, name)
);

-- Repositories that were deleted and have no manifest since. The registry may list them for ever.
create table deleted_repositories (
    name text collate "C" primary key
);

-- Tags that are being removed from a registry that cannot remove one: the tag is moved to a manifest of its own, which is deleted.
create table untags (
    repository text collate "C" not null,
    tag text collate "C" not null,
    -- The manifest that it is moved to.
    digest text collate "C" not null,
    primary key (repository, tag)
);

create table state (
    -- One row.
    id integer primary key check (id = 1),
    -- Rises with each change of what may be done or is hidden.
    revision bigint not null,
    -- When the registry was last looked through to its end; null: never.
    crawled bigint,
    -- When looking through it began that has not come to an end.
    crawl_began bigint
);

insert into state (id, revision) values (1, 0);
