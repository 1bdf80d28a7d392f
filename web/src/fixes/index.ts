/** Changes to scope maps, and whole maps, to copy. */

export { type Creation, createCommand } from "./create";
export { type Fix, fix, type WholeMap } from "./fix";
