/** What leaves the page of an answer: nothing in it is read as markup, wherever it is put. */

import { expect, test } from "vitest";
import { forChat, forCi, forOwner, forReview, picture, type SharedCard } from ".";

const LINK = "https://example.com/#1.abc";
const AZ =
  "az acr scope-map update --name MyScopeMap --registry myregistry --add-repository samples/nginx content/write";

const denied: SharedCard = {
  tone: "denied",
  word: "Denied",
  headline: "`docker push samples/nginx` will fail: the token can't push to `samples/nginx`.",
  details: [],
  commands: [AZ],
};

test("an answer for a chat", () => {
  expect(forChat(denied, LINK)).toBe(
    `**Denied:** \`docker push samples/nginx\` will fail: the token can't push to \`samples/nginx\`.\n\n\`\`\`\n${AZ}\n\`\`\`\n\n${LINK}\n`,
  );
});

test("a message to the owner has the exact command, and says what to put into it", () => {
  expect(forOwner(denied, LINK)).toBe(
    `\`docker push samples/nginx\` will fail: the token can't push to \`samples/nginx\`.\n\nCould you please run this?\n\n\`\`\`\n${AZ}\n\`\`\`\n\nWhy, and what it changes: ${LINK}\n`,
  );
  expect(forOwner({ ...denied, commands: ["az acr x --name $SCOPE_MAP"] }, LINK)).toContain(
    "Replace `$SCOPE_MAP` first.",
  );
  expect(forOwner({ ...denied, commands: [] }, LINK)).toContain("Could you please look at why?");
});

/** Names, and the code span that each becomes. */
const NAMES: [string, string][] = [
  ["[x](https://evil.example)", "`[x](https://evil.example)`"],
  ["<img src=x onerror=alert(1)>", "`<img src=x onerror=alert(1)>`"],
  ["@everyone", "`@everyone`"],
  ["a\n# b", "`a # b`"],
  ["\u202egnp.exe", "`\ufffdgnp.exe`"],
  ["a\u0000b", "`a\ufffdb`"],
  ["\ud800", "`\ufffd`"],
];

test.each(NAMES)("a name in Markdown: %j", (name, code) => {
  const card = { ...denied, headline: `The token \`${name}\` is disabled.`, commands: [] };
  expect(forChat(card, LINK)).toBe(`**Denied:** The token ${code} is disabled.\n\n${LINK}\n`);
});

test("a backtick in a name opens nothing, and what is outside of code is not markup", () => {
  const card = { ...denied, headline: "The map `a`<b>*x*[y](z)` is here.", commands: [] };
  expect(forChat(card, LINK)).toBe(`**Denied:** The map \`a\`\\<b\\>\\*x\\*\\[y\\](z)\` is here.\`\n\n${LINK}\n`);
});

test("a fence is longer than any in the command", () => {
  expect(forChat({ ...denied, commands: ["a ``` b\u0007"] }, LINK)).toContain("````\na ``` b\ufffd\n````");
});

test("a picture holds texts, and nothing of them is markup", () => {
  for (const [name] of [...NAMES, ["]]></text><script>ran=1</script>"], ["&amp; \"'"]]) {
    const svg = picture({ ...denied, headline: `The token \`${name}\` is disabled.`, commands: [`x ${name}`] });
    const tags = [...svg.matchAll(/<\/?([a-z]+)/g)].map(([, tag]) => tag);
    expect(new Set(tags)).toEqual(new Set(["svg", "title", "rect", "text", "tspan"]));
    expect(svg).not.toMatch(/[\p{Cs}\p{Cf}]/u);
    expect(svg).not.toContain("\0");
    expect(svg.match(/&(?!#\d+;)/)).toBeNull();
  }
});

test("a picture of long texts stays within its lines", () => {
  const long = "component/".repeat(400);
  const svg = picture({ ...denied, headline: `\`${long}\``, details: [long, long], commands: [long] });
  expect(svg.match(/<text/g)?.length).toBeLessThan(22);
  for (const [, text = ""] of svg.matchAll(/<tspan[^>]*>([^<]*)</g)) expect(text.length).toBeLessThanOrEqual(84);
});

test("a comparison as a comment has a table, and a name ends no cell", () => {
  const rows = [{ pattern: "team/*", gained: ["delete", "push"], lost: [], witness: "team/a" }];
  expect(forReview({ before: "a|`b", after: "new", rows })).toBe(
    "**Scope map `a\\|\ufffdb` → `new`**\n\n| Repositories | Added | Removed | Example |\n|---|---|---|---|\n| `team/*` | `delete` `push` |  | `team/a` |\n",
  );
  expect(forReview({ before: "a", after: "b", rows: [] })).toContain("No difference");
  const many = Array.from({ length: 300 }, () => ({ pattern: "a", gained: ["pull"], lost: [], witness: "a" }));
  expect(forReview({ before: "a", after: "b", rows: many })).toContain("… and 200 more");
});

test("a check for CI holds both maps, and no rule ends a file", () => {
  expect(forCi({ name: "old\nrm", actions: ["a\nEND\nrm"] }, { name: "new", actions: ["b"] })).toBe(
    '# Scope map old rm → new\ncat > before.json <<\'END\'\n{"actions":["a\\nEND\\nrm"]}\nEND\ncat > after.json <<\'END\'\n{"actions":["b"]}\nEND\nscopegate diff before.json after.json\n',
  );
});
