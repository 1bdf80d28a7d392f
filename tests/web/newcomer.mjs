/** What somebody writes first who has installed the package: reads the challenge of a registry. */

import * as scopegate from "scopegate";

const challenge =
  'Bearer realm="https://localhost:5001/oauth2/token",service="localhost:5000",scope="repository:samples/hello-world:pull"';
console.log(JSON.stringify(scopegate.read_challenge(challenge)));
