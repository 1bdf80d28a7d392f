-- What the gateway knows of the artifacts behind it: which there are, since when, and what may be done with them.
--
-- Times are in units of 100 nanoseconds since 1970, flags are 0 and 1. Names are compared byte by byte. The tables are those of PostgreSQL.

create table repositories (
    name text primary key,
    created integer not null,
    updated integer not null,
    -- When its list of tags was last compared with the registry's; null: never.
    synced integer
);

create table tags (
    repository text not null,
    name text not null,
    digest text not null,
    created integer not null,
    -- When it last moved.
    updated integer not null,
    -- When the registry last said where it points.
    seen integer not null,
    primary key (repository, name)
);

create index tags_by_time on tags (repository, updated, name);
create index tags_by_digest on tags (repository, digest);

create table manifests (
    repository text not null,
    digest text not null,
    created integer not null,
    updated integer not null,
    seen integer not null,
    primary key (repository, digest)
);

create index manifests_by_time on manifests (repository, updated, digest);

-- What is true of a manifest for ever, whichever repository it is in.
create table facts (
    digest text primary key,
    media_type text not null,
    -- The layers of an image, the images of an index; in bytes.
    image_size integer not null,
    config_media_type text,
    architecture text,
    os text,
    -- When its maker says that it was made.
    made integer,
    -- JSON: `[{"digest":…,"architecture":…,"os":…}]`, empty for what is no index.
    refs text not null
);

-- What may be done. Nothing that may be done entirely has a row.
create table attributes (
    repository text not null,
    kind text not null check (kind in ('repository', 'tag', 'manifest')),
    -- The tag or the digest; empty for the repository.
    name text not null,
    -- 1 delete, 2 write, 4 list, 8 read.
    bits integer not null check (bits between 0 and 14),
    primary key (repository, kind, name)
);

-- Repositories that were deleted and have no manifest since. The registry may list them for ever.
create table deleted_repositories (
    name text primary key
);

-- Tags that are being removed from a registry that cannot remove one: the tag is moved to a manifest of its own, which is deleted.
create table untags (
    repository text not null,
    tag text not null,
    -- The manifest that it is moved to.
    digest text not null,
    primary key (repository, tag)
);

create table state (
    -- One row.
    id integer primary key check (id = 1),
    -- Rises with each change of what may be done or is hidden.
    revision integer not null,
    -- When the registry was last looked through to its end; null: never.
    crawled integer,
    -- When looking through it began that has not come to an end.
    crawl_began integer
);

insert into state (id, revision) values (1, 0);
