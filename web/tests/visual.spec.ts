/**
 * What the main states look like, compared with pictures that a person has looked at: each of one
 * part of the page, so that a change of one part changes few.
 *
 * Drawn with the fonts of Debian's `fonts-dejavu`, which the pictures are made with:
 * `npx playwright test visual --update-snapshots=all`.
 */

import { expect, test } from "./page.ts";
import { Playground } from "./playground.ts";
import { AZ_MAP, accessClaims, PUSH, token } from "./texts.ts";

const NOW = new Date("2026-03-01T12:00:00Z");

/** States, the part to look at or else what one sees first, and how one gets there. */
const states: [string, string, (playground: Playground) => Promise<unknown>][] = [
  ["empty", "", async () => {}],
  ["newcomer", "", (playground) => playground.write(PUSH + AZ_MAP)],
  ["error", "", (playground) => playground.write("denied: requested access to the resource is denied")],
  [
    "login",
    "Answer",
    (playground) =>
      playground.write(
        "Error response from daemon: Get https://myserver.azurecr.io/v2/: unauthorized: authentication required",
      ),
  ],
  [
    "two-maps",
    "Answer",
    (playground) =>
      playground.write(
        '{"name": "first", "actions": []}\n{"name": "second", "actions": ["repositories/a/content/read"]}\ndocker pull r.azurecr.io/a',
      ),
  ],
  [
    "cell",
    "Repositories",
    async (playground) => {
      await playground.chooseExample("How wildcards combine");
      await playground.matrix
        .getByRole("button", { name: / push: denied$/ })
        .first()
        .click();
      await expect(playground.matrix.getByRole("region", { name: /^Grant push/ })).toBeVisible();
    },
  ],
  [
    "allowed",
    "Answer",
    async (playground) => {
      await playground.use("repositories/samples/*/content/read");
      await playground.ask("repository:samples/nginx:pull");
    },
  ],
  [
    "previous",
    "Answer",
    async (playground) => {
      await playground.write(PUSH + AZ_MAP);
      await playground.write("!!");
      await expect(playground.answer).toContainText("This answer belongs to the previous question.");
    },
  ],
  [
    "rules",
    "Scope map",
    async (playground) => {
      const field = playground.map.getByRole("textbox", { name: "Add rules" });
      await field.fill("team/* pull,push");
      await field.press("Enter");
      await field.fill("team/app");
    },
  ],
  [
    "commands",
    "",
    async (playground) => {
      await playground.write(PUSH + AZ_MAP);
      await playground.page.getByRole("button", { name: "Commands" }).click();
      await expect(playground.page.getByRole("listbox").getByRole("option").first()).toBeVisible();
    },
  ],
  [
    "share",
    "",
    async (playground) => {
      await playground.write(PUSH + AZ_MAP);
      await playground.page.getByRole("button", { name: "Share" }).click();
      const dialog = playground.page.getByRole("dialog");
      await expect(dialog).toBeVisible();
      // The address has the port of the test.
      await dialog.getByRole("textbox").evaluate((field: HTMLInputElement) => {
        field.value = "https://scopegate.example/#1.jZBNbsMwDISv";
      });
    },
  ],
  ["matrix", "Repositories", (playground) => playground.chooseExample("How wildcards combine")],
  ["client", "Details", (playground) => playground.chooseExample("Pull works, but listing tags fails")],
  ["compare", "Details", (playground) => playground.chooseExample("Review a change")],
  [
    "token",
    "Details",
    (playground) => playground.write(token(accessClaims(NOW.getTime() / 1000 - 7200, ["team/app", "pull"]))),
  ],
  [
    "tests",
    "Details",
    async (playground) => {
      await playground.write(PUSH + AZ_MAP);
      await playground.answer.getByRole("button", { name: "Save as test" }).click();
      await playground.answer.getByRole("button", { name: "Apply to this map" }).click();
      await playground.openPanel("Tests");
    },
  ],
];

/** Dark differs in its colours, and not in where things are. */
const WIDTHS = { light: [360, 768, 1400, 2000], dark: [360, 1400] };

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of WIDTHS[colorScheme]) {
    test.describe(`${colorScheme}, ${width} pixels`, () => {
      // A picture is taken with a style of the test's own, which the page's policy would not let
      // in.
      test.use({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
      for (const [name, part, reach] of states) {
        test(name, async ({ page, site }) => {
          await page.clock.setFixedTime(NOW);
          await page.goto(site.url);
          await reach(new Playground(page));
          await page.mouse.move(0, 0);
          await page.evaluate(() => {
            if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
            scrollTo(0, 0);
          });
          const region = page.getByRole("region", { name: part, exact: true });
          if (part !== "") await region.evaluate(toWholePixel);
          await expect(part === "" ? page : region).toHaveScreenshot(`${name}-${colorScheme}-${width}.png`);
        });
      }
    });
  }
}

/**
 * Moves a part to the next whole pixel. The editor above it guesses the height of lines that it has
 * not drawn, so the part begins a fraction higher or lower, by how fast the machine is.
 */
function toWholePixel(part: HTMLElement | SVGElement): void {
  const top = part.getBoundingClientRect().top + scrollY;
  part.style.position = "relative";
  part.style.top = `${Math.ceil(top) - top}px`;
}
