-- Codes of people who have signed in, each good once and for a minute.
create table login_codes (
    -- The SHA-256 of the code, which is nowhere else.
    digest text primary key,
    -- Whose it is: how many one person may have is bounded.
    person text not null,
    -- In seconds since 1970.
    expires_at bigint not null,
    -- What it stands for, as JSON.
    content text not null
);

create index login_codes_by_person on login_codes (person);
create index login_codes_by_expiry on login_codes (expires_at);
