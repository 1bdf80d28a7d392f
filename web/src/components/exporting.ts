/** A scope map in the forms in which it is taken out. The writers are loaded when one is wanted. */

import type { ExportForm } from "../fixes/exports";
import type { ScopeMapDraft } from "../state/model";
import { copyAndSay } from "./Code";

export const FORMS: { id: ExportForm; name: string; about: string }[] = [
  { id: "create", name: "az create", about: "the command that makes this map" },
  { id: "update", name: "az update", about: "the command that adds these rules to a map" },
  { id: "arm", name: "ARM", about: "a resource of a template" },
  { id: "bicep", name: "Bicep", about: "a resource in its registry" },
  { id: "terraform", name: "Terraform", about: "a block of azurerm" },
  { id: "json", name: "JSON", about: "name, description and actions" },
  { id: "yaml", name: "YAML", about: "the same for files of tests" },
];

/** Copies the map. */
export async function copyAs({ name, registry, description, actions }: ScopeMapDraft, form: (typeof FORMS)[number]) {
  const map = { name, registry: registry || null, description, actions: [...actions] };
  await copyAndSay(
    async () => (await import("../fixes/exports")).exported(map, form.id),
    `the scope map as ${form.name}`,
  );
}
