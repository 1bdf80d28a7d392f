/** Answers and comparisons to send to others. Loaded when one is wanted. */

export { forChat, forOwner } from "./markdown";
export { picture } from "./picture";
export { forCi, forReview, type Review } from "./review";
export type { SharedCard } from "./text";
