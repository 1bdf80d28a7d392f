/** What `node.js` exports. */

export * from "./scopegate.js";
