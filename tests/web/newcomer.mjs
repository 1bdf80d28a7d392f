/** The first program of a user who has installed the package: asks why a push is denied. */

import { Principal } from "scopegate";

const principal = new Principal();
principal.add("MyScopeMap", ["repositories/samples/hello-world/content/write"]);
console.log(JSON.stringify(principal.explain("repository:samples/nginx:push", "myregistry")));
