/** Tests begin when the reader of YAML is there. */

import { loadYaml } from "./library";

await loadYaml();
