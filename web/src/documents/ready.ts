/** Tests begin when the reader of YAML is there. */

import { yamlIsThere } from "./library";

await yamlIsThere;
