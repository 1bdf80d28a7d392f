/** Tokens: read, timed, weighed, and what would be issued. */

export { type DecodedToken, decodeToken, isSigned, type Json, type TokenProblem, withoutSignature } from "./decode";
export { type Algorithm, type IssuedToken, issue, type Request } from "./issue";
export { HEADER_LIMIT, type TokenSize, tokenSize } from "./size";
export { type Answer, refreshGrant, registryAnswer, type TokenState, tokenEndpoint } from "./token-state";
export { date, type Validity, validity } from "./validity";
