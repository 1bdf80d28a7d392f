/** Every client and what it does, and the simulator. */

import { az } from "./az";
import { containerd, kubelet } from "./containerd";
import { crane } from "./crane";
import { docker } from "./docker";
import { helm } from "./helm";
import type { Operation } from "./operation";
import { oras } from "./oras";
import { podman } from "./podman";
import { argocdImageUpdater, flux, renovate } from "./scanners";
import { sdk } from "./sdk";
import { skopeo } from "./skopeo";

export type { Need, Operation } from "./operation";
export { type Simulation, type Step, simulate, type Target } from "./simulate";

export const operations: readonly Operation[] = [
  docker,
  podman,
  skopeo,
  crane,
  oras,
  helm,
  containerd,
  kubelet,
  renovate,
  flux,
  argocdImageUpdater,
  az,
  sdk,
].flat();

export function operation(id: string): Operation | undefined {
  return operations.find((each) => each.id === id);
}
