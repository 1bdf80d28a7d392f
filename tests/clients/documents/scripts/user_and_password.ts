// The token as the password of the user `token`: the SDK has no such arguments.
import { ContainerRegistryClient } from "@azure/container-registry";

export const client = new ContainerRegistryClient("https://registry.example", "token", "password");
