-- Deletions of repositories that began and have not ended: what is left of them is reported.
create table deletions (
    repository text not null primary key
);
