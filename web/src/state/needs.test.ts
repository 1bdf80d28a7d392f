/** What commands need, whichever image they are about. */

import { expect, test } from "vitest";
import { neededBy } from "./needs";

test.each([
  ["docker-pull", "`docker pull` needs `content/read` on the image's repository."],
  ["docker-push", "`docker push` needs `content/read` and `content/write` on the image's repository."],
  ["skopeo-list-tags", "`skopeo list-tags` needs `metadata/read` on the image's repository."],
])("%s", (id, expected) => {
  expect(neededBy(id, "acr")).toBe(expected);
});

test.each(["docker-login", "no-such-command"])("%s needs nothing of a repository", (id) => {
  expect(neededBy(id, "acr")).toBeNull();
});
