// Calls @azure/container-registry:
// `node sdk.mjs '{"endpoint": …, "who": …, "calls": [["tags", "team/hello"], …]}'`.
//
// Prints a list with one `{"value": …}` or `{"error": status}` for each call. The SDK is the
// released one; the only thing of ours is the credential that gives it a token that was issued
// elsewhere.

import { ContainerRegistryClient, ContainerRegistryContentClient } from "@azure/container-registry";

const { endpoint, who, calls } = JSON.parse(process.argv[2]);
const issued = { getToken: async () => ({ token: who.token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
const options = { audience: "https://containerregistry.azure.net" };
const credential = who.token ? issued : undefined;
const client = credential
  ? new ContainerRegistryClient(endpoint, credential, options)
  : new ContainerRegistryClient(endpoint, options);
const content = (name) => new ContainerRegistryContentClient(endpoint, name, credential, options);

const known = {
  repositories: () => all(client.listRepositoryNames(), (name) => name),
  repository: async (name) => (await client.getRepository(name).getProperties()).tagCount,
  // The SDK lists the tags of one manifest only; each manifest knows its own.
  tags: async (name) => (await all(client.getRepository(name).listManifestProperties(), (each) => each.tags)).flat(),
  tag: async (name, tag) => (await client.getArtifact(name, tag).getTagProperties(tag)).digest,
  manifests: (name) => all(client.getRepository(name).listManifestProperties(), (each) => each.digest),
  pages: (name) => {
    const newest = client.getRepository(name).listManifestProperties({ order: "LastUpdatedOnDescending" });
    return all(newest.byPage({ maxPageSize: 3 }), (page) => page.length);
  },
  manifest: async (name, tag) => (await content(name).getManifest(tag)).digest,
  lock: (name, tag) => update(name, tag, false),
  unlock: (name, tag) => update(name, tag, true),
  untag: async (name, tag) => void (await client.getArtifact(name, tag).deleteTag(tag)),
  delete: async (name) => void (await client.deleteRepository(name)),
};

async function all(items, read) {
  const found = [];
  for await (const item of items) found.push(read(item));
  return found;
}

async function update(name, tag, canWrite) {
  return (await client.getArtifact(name, tag).updateTagProperties(tag, { canWrite })).canWrite;
}

async function outcome([call, ...names]) {
  try {
    return { value: (await known[call](...names)) ?? null };
  } catch (error) {
    if (!error.statusCode) throw error;
    console.error(error.message);
    return { error: error.statusCode };
  }
}

const outcomes = [];
for (const call of calls) outcomes.push(await outcome(call));
console.log(JSON.stringify(outcomes));
