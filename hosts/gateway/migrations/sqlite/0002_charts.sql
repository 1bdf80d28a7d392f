-- What charts say of themselves, for the index of charts.

create table charts (
    repository text not null,
    digest text not null,
    -- JSON: an entry of an index of charts without what depends on its tag and on who asks; null for what is left out.
    entry text,
    -- When the registry is asked again for what it did not give; null: never, what it gave stays.
    again integer,
    primary key (repository, digest)
);

create index facts_by_config on facts (config_media_type, digest);
create index manifests_by_digest on manifests (digest, repository);

-- The key of tickets, base64: all gateways of one index have the same.
alter table state add column ticket_key text;
