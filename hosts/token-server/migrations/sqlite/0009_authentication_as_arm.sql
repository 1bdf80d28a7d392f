-- Whether a token for management is taken in exchange, as the service does unless it is told otherwise.
alter table registry add column authentication_as_arm bigint not null default 1 check (authentication_as_arm in (0, 1));
