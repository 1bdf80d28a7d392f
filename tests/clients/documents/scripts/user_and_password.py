# The token as the password of the user `token`: the SDK has no such arguments, and asks without a name.
import os

from azure.containerregistry import ContainerRegistryClient

client = ContainerRegistryClient(
    os.environ["ENDPOINT"],
    username="token",
    password=os.environ["TOKEN"],
    audience="https://containerregistry.azure.net",
)
for name in client.list_repository_names():
    print(name)
