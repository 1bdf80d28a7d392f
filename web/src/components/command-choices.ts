/** The commands of clients, to choose one of them. */

import type { Operation } from "../clients";
import type { Choice } from "./matching";

export function commandChoices(operations: readonly Operation[]): Choice[] {
  return operations.map(({ id, name, about, client }) => ({ id, name, hint: about, group: GROUPS[client] ?? client }));
}

/** Clients whose id is not what people call them. */
const GROUPS: Record<string, string> = {
  az: "Azure CLI",
  containerd: "containerd (ctr)",
  kubelet: "Kubernetes",
  renovate: "Renovate",
  flux: "Flux",
  "argocd-image-updater": "Argo CD",
  helm: "Helm",
  "azure-sdk": "Azure SDK",
};
