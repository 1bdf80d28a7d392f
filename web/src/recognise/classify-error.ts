/**
 * What the words of an error say about access.
 */

import type { ErrorClass } from "./found";

/**
 * Phrases of clients and registries. The first group of which a line has one tells what it means.
 */
const PHRASES: [ErrorClass, string[]][] = [
  [
    "unreachable",
    [
      "no such host",
      "connection refused",
      "i/o timeout",
      "x509:",
      "tls handshake",
      "connection reset by peer",
      "http response to https client",
      "client with ip",
      "403 forbidden",
      "status(?: code)?:? ?403",
      "network is unreachable",
      "context deadline exceeded",
      "client\\.timeout",
      "request canceled while waiting",
      "dial tcp",
      "proxyconnect",
      "no route to host",
      "connection timed out",
      "server misbehaving",
      "(?:name or service|servname) not (?:known|provided)",
      "temporary failure in name resolution",
      "could not resolve host",
      "failed to resolve (?:dns|'|\")",
      "CONNECTIVITY_(?:DNS|CONNECT\\w*|SSL|PROXY)_ERROR",
      "max retries exceeded",
      "certificate (?:signed by unknown|verify failed|has expired)",
      "unable to connect to the server",
      "(?<=: |unexpected )EOF$",
      "broken pipe",
    ],
  ],
  [
    "unavailable",
    [
      "(?:status(?: code)?|http status|http/[\\d.]+|error):? (?:429|5\\d\\d)(?![\\d/])",
      "5\\d\\d (?:internal server error|bad gateway|service unavailable|gateway time-?out)",
      "429 too many requests",
      "toomanyrequests",
      "too many requests",
    ],
  ],
  [
    "unauthenticated",
    [
      "failed to fetch (?:anonymous|oauth) token",
      "no basic auth credentials",
      "invalid username/password",
      "incorrect username or password",
      "username and password required",
      "bad password",
      "invalid_token",
      "invalid client ?id or client secret",
      "client id must be guid",
      "invalid_client",
      "AADSTS\\d{4,}",
      "authentication failure",
      "unable to retrieve auth token",
      "unable to get aad authorization tokens",
      "unable to authenticate using",
      "CONNECTIVITY_(?:ACCESS_TOKEN|REFRESH_TOKEN|AAD_LOGIN)_ERROR",
      "response code: 401",
    ],
  ],
  // The registry says so to those who may do it.
  ["locked", ["operation is disallowed"]],
  [
    "denied",
    [
      "insufficient[_ ]scopes?",
      "authorization failed",
      "access denied",
      "access forbidden",
      "(?<!permission )denied:",
      "access to the resource is denied",
      "was denied",
      "does not have permission",
    ],
  ],
  ["absent", ["(?:manifest|name|tag|blob)[_ ]unknown", "manifest for \\S{1,300} not found"]],
  [
    "unknown",
    [
      "unauthorized",
      "authentication required",
      "failed to authorize",
      "status(?: code)?:? ?401",
      "errimagepull",
      "imagepullbackoff",
      "back-off pulling image",
      "failed to (?:pull|push)",
      "invalid reference format",
      "failed to resolve reference",
      "error response from daemon",
      "rpc error:",
      '(?:get|head|post|put|patch|delete) "?https?://\\S{1,300}/v2/',
    ],
  ],
];

const CLASSES = PHRASES.map(
  ([errorClass, phrases]) => [errorClass, new RegExp(`\\b(?:${phrases.join("|")})`, "i")] as const,
);

/** `null` when the line is no error. */
export function classifyError(line: string): ErrorClass | null {
  return CLASSES.find(([, phrases]) => phrases.test(line))?.[0] ?? null;
}
