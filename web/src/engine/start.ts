/**
 * Starts the engine. The page may not fetch, so its module came inside a script; in node the
 * package starts itself.
 */

import { bytes } from "virtual:engine";
import { initSync } from "scopegate";

initSync({ module: bytes });
