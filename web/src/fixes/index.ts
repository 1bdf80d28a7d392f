/** Changes to scope maps, to copy. */

export { type Fix, fix } from "./fix";
export type { WholeMap } from "./map";
