"""Calls azure-containerregistry: `sdk.py '{"endpoint": …, "who": …, "calls": [["tags", "team/hello"], …]}'`.

Prints a list with one `{"value": …}` or `{"error": status}` for each call. The SDK is the released one; the only thing of ours is
the credential that gives it a token that was issued elsewhere.
"""

import json
import sys
import time

from azure.containerregistry import ArtifactManifestOrder, ContainerRegistryClient
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential


class Issued:
    """A token that is there already."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **options):
        return AccessToken(self.token, int(time.time()) + 3600)


def credential(endpoint, who):
    if "token" in who:
        return Issued(who["token"])
    if "secret" in who:
        return ClientSecretCredential(
            who["tenant"], who["client"], who["secret"], authority=endpoint, disable_instance_discovery=True
        )
    return None


CALLS = {
    "repositories": lambda client: list(client.list_repository_names()),
    "repository": lambda client, name: client.get_repository_properties(name).tag_count,
    "tags": lambda client, name: [tag.name for tag in client.list_tag_properties(name)],
    "tag": lambda client, name, tag: client.get_tag_properties(name, tag).digest,
    "manifests": lambda client, name: [each.digest for each in client.list_manifest_properties(name)],
    "pages": lambda client, name: [
        len(list(page))
        for page in client.list_manifest_properties(
            name, order_by=ArtifactManifestOrder.LAST_UPDATED_ON_DESCENDING, results_per_page=3
        ).by_page()
    ],
    "manifest": lambda client, name, tag: client.get_manifest(name, tag).digest,
    "lock": lambda client, name, tag: client.update_tag_properties(name, tag, can_write=False).can_write,
    "unlock": lambda client, name, tag: client.update_tag_properties(name, tag, can_write=True).can_write,
    "untag": lambda client, name, tag: client.delete_tag(name, tag),
    "delete": lambda client, name: client.delete_repository(name),
}


def outcome(client, call, *arguments):
    try:
        return {"value": CALLS[call](client, *arguments)}
    except HttpResponseError as error:
        print(error, file=sys.stderr)
        # An authority's refusal, which comes before the registry is asked anything, has no status.
        return {"error": error.status_code or 0}


asked = json.loads(sys.argv[1])
audience = "https://containerregistry.azure.net"
with ContainerRegistryClient(asked["endpoint"], credential(asked["endpoint"], asked["who"]), audience=audience) as client:
    print(json.dumps([outcome(client, *call) for call in asked["calls"]]))
