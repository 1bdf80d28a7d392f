-- Where service principals were right lately, so that a server that is started anew knows them.
create table known_networks (
    client text not null,
    network text not null,
    -- In seconds since 1970.
    right_at bigint not null,
    primary key (client, network)
);
