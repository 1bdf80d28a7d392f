-- Refresh tokens that were revoked by themselves. A row is of no use any more when its token has expired.
create table revoked_tokens (
    jti text primary key,
    -- When the token expires, in seconds since 1970.
    expires_at bigint not null,
    revision bigint not null
);

create index revoked_tokens_by_revision on revoked_tokens (revision);
create index revoked_tokens_by_expiry on revoked_tokens (expires_at);
