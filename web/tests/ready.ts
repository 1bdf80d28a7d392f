/** Tests begin when the reader of YAML is there. */

import { loadYaml } from "../src/documents/library";

await loadYaml();
