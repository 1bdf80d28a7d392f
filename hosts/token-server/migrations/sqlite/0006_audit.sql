-- The audit trail: every change, in the order of the commits, each row sealed over the one before it.
create table audit (
    number bigint primary key,
    -- In seconds since 1970.
    at bigint not null,
    actor_kind text not null,
    actor text not null,
    provider text,
    address text,
    correlation_id text,
    operation text not null,
    object_kind text not null,
    object text not null,
    -- JSON without secrets.
    before text,
    after text,
    revision bigint not null,
    key_id text not null,
    seal text not null
);
create index audit_by_actor on audit (actor, number);
create index audit_by_object on audit (object_kind, object, number);
create index audit_by_time on audit (at, number);

-- The last row. Writers take turns here.
create table audit_head (
    id bigint primary key check (id = 1),
    number bigint not null,
    seal text not null
);
insert into audit_head (id, number, seal) values (1, 0, '');

-- The last row that was deleted because of its age.
create table audit_checkpoint (
    id bigint primary key check (id = 1),
    number bigint not null,
    row_seal text not null,
    at bigint not null,
    key_id text not null,
    seal text not null
);
