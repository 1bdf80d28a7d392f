/**
 * The engine. This folder alone imports the package `scopegate`; everything that is known about
 * scopes, rules, names, paths and challenges is known there.
 */

export type {
  AccessClaims,
  AccessEntry,
  Assertion,
  AssertionFile,
  Catalog,
  Challenge,
  DecisionReport,
  Difference,
  DocumentProblem,
  Edit,
  Explanation,
  Finding,
  InvalidScope,
  Miss,
  Problem,
  Profile,
  Reason,
  Reference,
  RepositoryClass,
  RepositoryGrant,
  Route,
  RuleRef,
  RuleReport,
  ScopeReport,
  WrittenScopeMap,
} from "scopegate";
export {
  acceptTimes,
  actions,
  checkScopeMapName,
  Principal,
  permissionFor,
  readAssertions,
  readChallenges,
  readReference,
  readRules,
  readScopeMap,
  readScopeMaps,
  readScopes,
  route,
  Subject,
  systemScopeMaps,
  unauthorizedBody,
  verify,
  version,
  writeChallenge,
} from "scopegate";
export { attempt, type Outcome } from "./attempt";
export { problemText, sentence } from "./sentence";
