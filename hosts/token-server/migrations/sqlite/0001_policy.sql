-- What the server knows: scope maps, tokens, and the digests of their passwords.
-- Names are compared without case, as Azure Resource Manager does.

create table registry (
    -- One row.
    id integer primary key check (id = 1),
    -- 32 hexadecimal digits, the `rid` of every token.
    rid text not null
);

create table scope_maps (
    name text primary key collate nocase,
    description text not null,
    -- Seconds since 1970.
    created_at integer not null
);

create table rules (
    scope_map text not null collate nocase references scope_maps (name) on delete cascade,
    -- The owner's order.
    position integer not null,
    action text not null,
    primary key (scope_map, position)
);

create table tokens (
    name text primary key collate nocase,
    -- A token may be without a map, and opens nothing then.
    scope_map text collate nocase references scope_maps (name),
    enabled integer not null check (enabled in (0, 1)),
    created_at integer not null
);

create table passwords (
    token text not null collate nocase references tokens (name) on delete cascade,
    name text not null check (name in ('password1', 'password2')),
    -- SHA-256 of a generated password. There are 256 bits in it, so a slow hash would buy nothing.
    digest blob not null check (length(digest) = 32),
    created_at integer not null,
    -- Never, when null.
    expires_at integer,
    primary key (token, name)
);
