-- Which identity providers there are, and who of their identities was revoked.

create table identity_providers (
    -- The name in the configuration.
    name text collate "C" primary key,
    -- SHA-256 of what its identities are given by; empty for a provider that is gone.
    fingerprint text not null,
    revision bigint not null,
    -- The revision of its last change: access tokens of an older generation have ended.
    generation bigint not null,
    -- The revision at which it went or was revoked: refresh tokens of an older generation have ended too.
    revoked bigint not null
);

create table revoked_identities (
    provider text collate "C" not null,
    -- The subject in lower case.
    subject text collate "C" not null,
    revision bigint not null,
    primary key (provider, subject)
);

create index identity_providers_by_revision on identity_providers (revision);
create index revoked_identities_by_revision on revoked_identities (revision);
