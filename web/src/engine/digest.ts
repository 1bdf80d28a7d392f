/**
 * The SHA-256 of the engine that runs here: so that it can be compared with the published one.
 */

export { sha256 as digest } from "virtual:engine";
