/** Changes to scope maps, to copy. */

export { type Fix, fix, type WholeMap } from "./fix";
