/** What the whole page is made of, for what is about all of it. */

import type { Address } from "../state/address";
import type { History } from "../state/history";
import type { Memory } from "../state/memory";
import type { Paste } from "../state/paste";
import type { Playground } from "../state/playground";

export interface PageParts {
  playground: Playground;
  paste: Paste;
  history: History;
  memory: Memory;
  address: Address;
}
