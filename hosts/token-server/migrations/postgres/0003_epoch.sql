-- A database that is put back gets another epoch, so that nothing from before is taken for something of now.

-- Random; empty until the program opens the database.
alter table registry add column epoch text not null default '';

-- What each revision was written as, so that two histories with the same revisions are told apart.
create table writes (
    revision bigint primary key,
    id text not null
);
