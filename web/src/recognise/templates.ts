/**
 * Where ARM templates and their expressions are in a document. What evaluates them is loaded when
 * the first of them is there.
 */

import { late } from "../documents/library";
import { isResource, type Resource, stringOf } from "./resource";

const reader = late(() => import("./template"));

export const loadTemplates = reader.load;

/** What evaluates templates; undefined while it is being loaded. */
export const templates = reader.get;

export function isTemplate(value: Resource): boolean {
  const isOne = /deploymentTemplate\.json/i.test(stringOf(value.$schema) ?? "") || "contentVersion" in value;
  return (isOne || isResource(value.parameters) || isResource(value.variables)) && typeof value.resources === "object";
}

/** Whether there is something in it that a template would evaluate. */
export function hasExpression(value: unknown): boolean {
  if (typeof value === "string") return value.startsWith("[");
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, inner]) => name === "copy" || hasExpression(inner));
}
