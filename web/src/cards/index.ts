/** An answer to send to others: as Markdown, as a message, as a picture. Loaded when it is wanted. */

export { forChat, forOwner } from "./markdown";
export { picture } from "./picture";
export { forCi, forReview, type Review } from "./review";
export type { SharedCard } from "./text";
