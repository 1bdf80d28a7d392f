/** Tests begin when all readers are there. */

import { loadYaml } from "../src/documents/library";
import { loadLanguages } from "../src/recognise/infrastructure";
import { loadTemplates } from "../src/recognise/templates";

await Promise.all([loadYaml(), loadLanguages(), loadTemplates()]);
