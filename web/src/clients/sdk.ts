/**
 * The Azure SDKs' registry clients: `azure-containerregistry` 1.2 for Python; those for .NET, Go
 * and JavaScript ask in the same way.
 *
 * They escape the slashes of a repository, send the first request as it is, ask for exactly what
 * the challenge says, and send their last token with whatever comes next. Left out: the exchange
 * before it, since they take no name and password, but a token of a provider.
 */

import { asChallenged } from "./asking";
import { client } from "./operation";
import { request } from "./rows";

const azure = ["acr"] as const;

export const sdk = client(
  "azure-sdk",
  {
    asking: asChallenged,
    says: "azure.core.exceptions.ClientAuthenticationError: Operation returned an invalid status 'Unauthorized'\nContent: {body}",
    absent: "azure.core.exceptions.ResourceNotFoundError: Operation returned an invalid status 'Not Found'",
  },
  [
    {
      id: "list",
      name: "Azure SDK: list_repository_names",
      about: "Lists the repositories of the registry.",
      prints: "{repository}\n…",
      profiles: azure,
      sessions: [{ asks: [], requests: [request("GET", "/acr/v1/_catalog", "List repositories")] }],
    },
    {
      id: "list-tags",
      name: "Azure SDK: list_tag_properties",
      about: "Lists the tags of a repository.",
      prints: "{tag}\n…",
      profiles: azure,
      sessions: [{ asks: [], requests: [request("GET", "/acr/v1/{escaped}/_tags", "List tags")] }],
    },
    {
      id: "delete-repository",
      name: "Azure SDK: delete_repository",
      about: "Deletes a repository and everything in it.",
      prints: "",
      profiles: azure,
      sessions: [
        {
          asks: [],
          requests: [request("DELETE", "/acr/v1/{escaped}?api-version=2021-07-01", "Delete the repository")],
        },
      ],
    },
  ],
);
