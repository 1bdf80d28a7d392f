/**
 * A pasted token, read and timed. What only the panels need is imported from its own file,
 * so that the first load is without it.
 */

export { type DecodedToken, decodeToken, isSigned, type Json, type TokenProblem, withoutSignature } from "./decode";
export { date, type Validity, validity } from "./validity";
