// Written from the Rust types by `SCOPEGATE_BLESS=1 cargo test -p scopegate-bindgen`.

/**
 * What listing tags needs: metadata/read, or pull.
 */
export type Profile = "acr" | "distribution";

/**
 * What removing a tag, and not its manifest, needs: delete, or metadata/write.
 */
export type Untag = "delete" | "metadata-write";

/**
 * The [`Catalog`] setting by its name.
 */
export type Catalog = "root" | "never" | "filtered";

/**
 * What is wrong with a text.
 */
export type Problem = { 
/**
 * The stable name of the kind of error.
 */
code: string, 
/**
 * What is wrong, in a few words.
 */
message: string, 
/**
 * What would be right.
 */
hint: string, 
/**
 * The first offending place, in the unit in which the reader counts: bytes, unless it says
 * otherwise.
 */
position: number, };

/**
 * Why a text is not the document that was expected.
 */
export type DocumentProblem = { 
/**
 * Where in the document: `actions[3]`, or nothing when the text as a whole could not be read.
 */
path: string, 
/**
 * The value that is wrong, when it is one value.
 */
value: string | null, 
/**
 * What is wrong.
 */
message: string, 
/**
 * What would be right.
 */
hint: string | null, 
/**
 * The first offending byte of the value.
 */
position: number, };

/**
 * What a token may do with one resource.
 *
 * ```
 * use scopegate_api::access::AccessEntry;
 *
 * let entry: AccessEntry = serde_json::from_str(r#"{"type":"repository","name":"app","actions":["pull"]}"#)?;
 * assert_eq!(entry.to_string(), "repository:app:pull");
 * let capitals = r#"{"Type":"repository","Name":"app","Actions":["pull"]}"#;
 * assert!(serde_json::from_str::<AccessEntry>(capitals).is_err());
 * # Ok::<(), serde_json::Error>(())
 * ```
 */
export type AccessEntry = { 
/**
 * `repository`, `registry` or `artifact-repository`.
 */
type: string, 
/**
 * The name of the resource.
 */
name: string, 
/**
 * The actions, in the order in which they were asked for.
 */
actions: Array<string>, };

/**
 * A piece of a request that is no scope.
 */
export type InvalidScope = { 
/**
 * The piece, as it was sent.
 */
scope: string, 
/**
 * What is wrong with it, and what would be right.
 */
message: string, 
/**
 * The first offending byte of the piece.
 */
position: number, };

/**
 * The decision on all the scopes of a request, in the order of the request.
 *
 * ```
 * use scopegate_api::decision::DecisionReport;
 * use scopegate_core::{ScopeList, ScopeMap, Settings, Table, claims};
 *
 * let table = Table::compile([&ScopeMap::parse(["repositories/app/content/read"]).unwrap()]).unwrap();
 * let request = ScopeList::parse(["repository:app:pull,push", "oops"]).unwrap();
 * let report = DecisionReport::new(&request, &claims([&table], &request, &Settings::default()));
 * assert_eq!(
 *     serde_json::to_string(&report)?,
 *     concat!(
 *         r#"{"access":[{"type":"repository","name":"app","actions":["pull"]}],"#,
 *         r#""denied":[{"type":"repository","name":"app","actions":["push"]}],"#,
 *         r#""invalid":[{"scope":"oops","message":"missing colon: use `type:name:actions`","position":4}]}"#,
 *     )
 * );
 * # Ok::<(), serde_json::Error>(())
 * ```
 */
export type DecisionReport = { 
/**
 * What may be had.
 */
access: Array<AccessEntry>, 
/**
 * What was asked for and may not be had.
 */
denied: Array<AccessEntry>, 
/**
 * The invalid scopes.
 */
invalid: Array<InvalidScope>, };

/**
 * What one action string of a map says.
 */
export type RuleReport = { 
/**
 * In its one spelling where it is a rule, and as it was written where it is none.
 */
text: string, 
/**
 * What it covers; `null` for a rule that is not about repositories, and where it is none.
 */
pattern: string | null, 
/**
 * What it grants there.
 */
permission: string | null, 
/**
 * Why it is no rule.
 */
problem: Problem | null, };

/**
 * What may be done with one repository.
 */
export type RepositoryGrant = { 
/**
 * The name, as it was given.
 */
name: string, 
/**
 * The actions.
 */
actions: Array<string>, 
/**
 * Why it is no name.
 */
problem: Problem | null, };

/**
 * A rule of a scope map.
 */
export type RuleRef = { 
/**
 * The name of the map, empty when it has none.
 */
scopeMap: string, 
/**
 * The repository or pattern.
 */
pattern: string, 
/**
 * The permission.
 */
permission: string, };

/**
 * A rule that does not grant an action, and nearly does.
 */
export type Miss = { 
/**
 * The rule.
 */
rule: RuleRef, 
/**
 * What is wrong with it, as a stable code.
 */
why: string, 
/**
 * The same for people.
 */
message: string, };

/**
 * Why one action is granted or denied.
 */
export type Reason = { 
/**
 * The action.
 */
action: string, 
/**
 * Whether it may be had.
 */
granted: boolean, 
/**
 * The rules that grant it.
 */
rules: Array<RuleRef>, 
/**
 * The rules that come closest, the closest first.
 */
misses: Array<Miss>, };

/**
 * A change to a scope map.
 */
export type Edit = { 
/**
 * The map to change, empty when it has no name.
 */
scopeMap: string, 
/**
 * The repository or pattern to add permissions on.
 */
pattern: string, 
/**
 * The permissions to add.
 */
permissions: Array<string>, 
/**
 * The same as action strings of a map.
 */
actions: Array<string>, 
/**
 * The command that makes the change.
 */
command: string, };

/**
 * A scope map to give a token instead of a system-defined one.
 */
export type Replacement = { 
/**
 * The map that cannot be edited.
 */
scopeMap: string, 
/**
 * The system-defined map to take instead; empty for a map of one's own, whose name is free.
 */
with: string, 
/**
 * The action strings of a map of one's own; none for a system-defined one.
 */
actions: Array<string>, 
/**
 * The commands that make the change, in their order.
 */
commands: Array<string>, };

/**
 * Why one scope is granted or denied, with replacements for scope maps that cannot be edited.
 */
export type Explanation = { 
/**
 * The scope, in canonical spelling.
 */
scope: string, 
/**
 * The same in sentences, one for each action.
 */
text: string, 
/**
 * One reason for each action, in the order of the request.
 */
reasons: Array<Reason>, 
/**
 * The smallest edits that allow what was denied, one for each scope map that can be edited.
 */
edits: Array<Edit>, 
/**
 * What to give the token instead of scope maps that cannot be edited, the least first; none
 * where an edit helps.
 */
replacements: Array<Replacement>, };

/**
 * Something that the owner of a map may not have meant.
 */
export type Finding = { 
/**
 * The stable name of the kind of finding.
 */
kind: string, 
/**
 * Whether the map does not do what it says; otherwise it is a remark.
 */
error: boolean, 
/**
 * What it is about, in a few words.
 */
message: string, 
/**
 * The place of the rule among the rules of the map; `null` when it is the map as a whole.
 */
rule: number | null, 
/**
 * The place of the rule that makes it so.
 */
becauseOf: number | null, };

/**
 * A class of repositories on which two maps grant different things.
 */
export type Difference = { 
/**
 * The repositories of the class: a name, or what lies below a prefix and is mentioned by no
 * rule.
 */
pattern: string, 
/**
 * A repository of the class, to try it with.
 */
witness: string, 
/**
 * The actions that the new map grants there and the old one does not.
 */
gained: Array<string>, 
/**
 * The actions that the old map grants there and the new one does not.
 */
lost: Array<string>, };

/**
 * A class of repositories that the rules of a map tell apart from all others.
 */
export type RepositoryClass = { 
/**
 * The repositories of the class: a name, `prefix/*` for what lies below and no rule mentions,
 * `*` for what no rule mentions at all.
 */
pattern: string, 
/**
 * A repository of the class, to try it with.
 */
witness: string, };

/**
 * What an HTTP request needs.
 */
export type Route = { 
/**
 * The path in its one spelling, with the query.
 */
path: string, 
/**
 * The required scopes, in the order of the challenge.
 */
scopes: Array<string>, };

/**
 * One challenge of a `WWW-Authenticate` header.
 */
export type Challenge = { 
/**
 * `Bearer`, `Basic`, or what else stands there.
 */
scheme: string, 
/**
 * Where to ask for a token.
 */
realm: string, 
/**
 * The registry that the token is for.
 */
service: string | null, 
/**
 * The scopes to ask for, separated by spaces.
 */
scope: string | null, 
/**
 * Why the request was not let through with the token that it had.
 */
error: string | null, };

/**
 * The reference of an image.
 */
export type Reference = { 
/**
 * The host of the registry, with its port, when the reference names one.
 */
registry: string | null, 
/**
 * The repository.
 */
repository: string, 
/**
 * The tag.
 */
tag: string | null, 
/**
 * The digest.
 */
digest: string | null, };

/**
 * The scopes of a request.
 */
export type ScopeReport = { 
/**
 * Merged, in the order of the request.
 */
scopes: Array<AccessEntry>, 
/**
 * The invalid scopes.
 */
invalid: Array<InvalidScope>, };

/**
 * A scope map as it is written: its form is read, its actions are not.
 */
export type WrittenScopeMap = { 
/**
 * The name.
 */
name: string | null, 
/**
 * What people wrote about it.
 */
description: string, 
/**
 * The name of the registry, when the document has a resource id.
 */
registry: string | null, 
/**
 * The action strings.
 */
actions: Array<string>, 
/**
 * Where in the document they stand: `actions`, `properties.actions`, `[1].actions`, or nothing
 * when they are all of it.
 */
path: string, };

/**
 * A scope map inside an assertion file.
 */
export type InlineScopeMap = { 
/**
 * The name.
 */
name?: string, 
/**
 * The action strings.
 */
actions: Array<string>, };

/**
 * Where a scope map is.
 */
export type ScopeMapSource = string | InlineScopeMap;

/**
 * One assertion.
 */
export type Assertion = { 
/**
 * A scope of which every action must be granted.
 */
allow?: string, 
/**
 * A scope of which no action may be granted.
 */
deny?: string, 
/**
 * Why it matters, shown when it fails.
 */
why?: string, };

/**
 * A file of assertions.
 */
export type AssertionFile = { 
/**
 * The maps of one principal; what one of them grants is granted.
 */
scopeMaps: Array<ScopeMapSource>, 
/**
 * Who may list repositories.
 */
catalog: Catalog, 
/**
 * What must hold.
 */
assertions: Array<Assertion>, };

/**
 * What kind of token it is. A token of one kind is never accepted instead of the other.
 */
export type GrantType = "access_token" | "refresh_token";

/**
 * What kind of principal a token is for.
 */
export type PrincipalKind = "token" | "admin" | "service_principal" | "identity" | "anonymous";

/**
 * The claims of an access token. A caller that signs many of them writes them as
 * `AccessClaims<&str>`, and copies no text.
 */
export type AccessClaims<S = string> = { 
/**
 * Unique for each token.
 */
jti: S, 
/**
 * Who it is for: the name of a scope-map token, or what else [`principal`](Self::principal)
 * says it is.
 */
sub: S, 
/**
 * Not valid before, in seconds since 1970.
 */
nbf: number, 
/**
 * Not valid from, in seconds since 1970.
 */
exp: number, 
/**
 * Issued at, in seconds since 1970.
 */
iat: number, 
/**
 * Who issued it.
 */
iss: S, 
/**
 * The registry that it is for. One string: CNCF distribution 2.8 refuses a list.
 */
aud: S, 
/**
 * [`VERSION`], or [`METADATA_VERSION`] when an action on metadata is granted.
 */
version: S, 
/**
 * The registry's own id.
 */
rid: S, 
/**
 * What may be done.
 */
access: Array<AccessEntry>, 
/**
 * Always empty here; the service writes it.
 */
roles: Array<string>, 
/**
 * `access_token`
 */
grant_type: GrantType, 
/**
 * The application that asked, when the holder came with a token of an identity provider.
 */
appid?: S, 
/**
 * What kind of principal it is for. Ours; other issuers do not write it.
 */
principal?: PrincipalKind, 
/**
 * The revision of the principal at the time of issue: a token of an older one is revoked.
 * Ours; other issuers do not write it.
 */
generation?: number, 
/**
 * The identity provider that knows the holder, by its name in the configuration: a subject is
 * unique only together with it. Ours; other issuers do not write it.
 */
provider?: S, 
/**
 * The epoch of the issuer's database: generations of another epoch say nothing in this one.
 * Ours; other issuers do not write it.
 */
epoch?: S, };
