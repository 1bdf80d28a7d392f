-- The order of times with the latest first. Its ties are in the order of names, so the index that is there cannot be read backwards.
create index tags_by_latest on tags (repository, updated desc, name);
create index manifests_by_latest on manifests (repository, updated desc, digest);
