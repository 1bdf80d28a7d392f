-- A primary key of SQLite may be null, unless it is said that it may not. No row of the trail has
-- no number.
create table audit_with_numbers (
    number bigint primary key not null,
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
insert into audit_with_numbers select * from audit where number is not null;
drop table audit;
alter table audit_with_numbers rename to audit;
create index audit_by_actor on audit (actor, number);
create index audit_by_object on audit (object_kind, object, number);
create index audit_by_time on audit (at, number);
