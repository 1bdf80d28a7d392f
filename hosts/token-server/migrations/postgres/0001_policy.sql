-- What the server knows: scope maps, principals, signing keys, and a revision that tells what changed.
--
-- A row's key is its name in lower case. Lists are JSON, flags 0 and 1: the databases share no other form of them. Each write takes the
-- next revision of the registry, and writes run one after the other; so whoever has seen revision n needs only the rows above it. A row's
-- generation is the revision of its last change that must end the tokens that were issued before.
--
-- The tables are those of SQLite. Keys are compared byte by byte there, and so they are here.

create table registry (
    -- One row.
    id integer primary key check (id = 1),
    -- 32 hexadecimal digits, the `rid` of every token.
    rid text not null,
    -- What stands for them in the addresses of Azure Resource Manager: GUIDs.
    tenant text not null,
    subscription text not null,
    created_at bigint not null,
    revision bigint not null,
    -- Departures up to this revision are not listed any more.
    forgotten bigint not null,
    admin_enabled bigint not null check (admin_enabled in (0, 1)),
    -- JSON: `[{"name":"password","sha256":…,"createdAt":…}]`
    admin_passwords text not null,
    admin_generation bigint not null,
    anonymous_pull bigint not null check (anonymous_pull in (0, 1)),
    anonymous_generation bigint not null
);

create table scope_maps (
    key text collate "C" primary key,
    name text not null,
    description text not null,
    -- JSON: the action strings in their owner's order.
    actions text not null,
    created_at bigint not null,
    revision bigint not null,
    generation bigint not null
);

create table tokens (
    key text collate "C" primary key,
    name text not null,
    -- A token may be without a map, and opens nothing then.
    scope_map text collate "C" references scope_maps (key),
    enabled bigint not null check (enabled in (0, 1)),
    -- JSON: `[{"name":"password1","sha256":…,"createdAt":…,"expiresAt":…}]`
    passwords text not null,
    created_at bigint not null,
    revision bigint not null,
    generation bigint not null
);

create table service_principals (
    key text collate "C" primary key,
    -- The client id.
    name text not null,
    display_name text not null,
    enabled bigint not null check (enabled in (0, 1)),
    -- JSON: names of roles.
    roles text not null,
    -- JSON: keys of scope maps.
    scope_maps text not null,
    -- JSON: argon2id hashes, at most two.
    secrets text not null,
    created_at bigint not null,
    revision bigint not null,
    generation bigint not null
);

-- What was deleted, and when.
create table departures (
    kind text not null,
    key text collate "C" not null,
    revision bigint not null,
    primary key (kind, key)
);

create table signing_keys (
    kid text primary key,
    algorithm text not null,
    -- PKCS #8, PEM. Whoever reads the database can sign.
    private_key text not null,
    certificate text not null,
    created_at bigint not null,
    -- From when on it signs, in seconds since 1970; it verifies from the start.
    signs_from bigint not null
);

-- The authority that certifies the keys, for verifiers that want a chain.
create table signing_authority (
    id integer primary key check (id = 1),
    private_key text not null,
    certificate text not null
);

create index scope_maps_by_revision on scope_maps (revision);
create index tokens_by_revision on tokens (revision);
create index tokens_by_scope_map on tokens (scope_map);
create index service_principals_by_revision on service_principals (revision);
create index departures_by_revision on departures (revision);
