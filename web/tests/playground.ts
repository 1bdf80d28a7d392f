/**
 * The page as a person finds it: by the roles and the names of what is on it, never by how it is
 * made.
 */

import type { Locator, Page } from "@playwright/test";

import { expect } from "@playwright/test";

export type Action = "pull" | "push" | "delete" | "metadata_read" | "metadata_write";
export type Panel = "Client" | "Token" | "Compare" | "Tests";

export class Playground {
  readonly page: Page;
  readonly field: Locator;
  readonly found: Locator;
  readonly map: Locator;
  readonly question: Locator;
  readonly answer: Locator;
  /** The sentence that is read first. */
  readonly headline: Locator;
  readonly matrix: Locator;
  readonly repository: Locator;
  readonly more: Locator;
  readonly announced: Locator;
  readonly undo: Locator;

  constructor(page: Page) {
    this.page = page;
    this.field = page.getByRole("textbox", { name: "Paste an error, token or scope map" });
    this.found = page.getByRole("region", { name: "Paste an error, token or scope map" }).getByRole("listitem");
    this.map = page.getByRole("region", { name: /^Scope map/ });
    this.answer = page.getByRole("region", { name: "Answer" });
    this.question = this.answer.getByRole("textbox", { name: "Check a scope" });
    this.headline = this.answer.getByRole("heading", { level: 3 }).first();
    this.matrix = page.getByRole("region", { name: "Repositories", exact: true });
    this.repository = this.matrix.getByRole("textbox", { name: "Add repositories" });
    this.more = page.getByRole("region", { name: "Details" });
    this.announced = page.getByRole("status");
    this.undo = page.getByRole("main").getByRole("button", { name: "Undo" });
  }

  /** Replaces the text of the field, all at once. */
  async write(text: string): Promise<void> {
    await this.field.fill(text);
  }

  /** Puts a scope map in place, as a list of its rules. */
  async use(...rules: string[]): Promise<void> {
    await this.write(JSON.stringify({ name: "MyScopeMap", actions: rules }));
  }

  async ask(scope: string): Promise<void> {
    await this.question.fill(scope);
  }

  /** Waits for the verdict and for words in the answer. */
  async says(verdict: "Allowed" | "Denied" | "Partly allowed" | "Can't tell yet", ...words: string[]): Promise<void> {
    await expect(this.answer.getByText(verdict, { exact: true })).toBeVisible();
    for (const text of words) await expect(this.answer).toContainText(text);
  }

  /** A cell of the matrix, whatever it says. */
  cell(repository: string, action: Action): Locator {
    return this.matrix.getByRole("button", {
      name: new RegExp(`(?:^|, such as )${literal(repository)},? ${action.replace("_", " ")}: `),
    });
  }

  /** What says whether a cell is asked about. */
  gridcell(cell: Locator): Locator {
    return cell.locator("xpath=..");
  }

  row(repository: string): Locator {
    return this.matrix.getByRole("row").filter({ has: this.page.getByText(repository, { exact: true }) });
  }

  /** The names in the first column, from above. */
  async repositories(): Promise<string[]> {
    const names = this.matrix.getByRole("button", { name: / pull: (allowed|denied|not certain)$/ });
    const labels = await names.evaluateAll((cells) => cells.map((cell) => cell.getAttribute("aria-label") ?? ""));
    return labels.map((label) => /(?:^|, such as )([^,]*),? pull: /.exec(label)?.[1] ?? label);
  }

  /** The rules of the map as they are listed. */
  async rules(): Promise<string[]> {
    const buttons = this.map
      .first()
      .getByRole("listitem")
      .getByRole("button", { name: /^remove / });
    const labels = await buttons.evaluateAll((all) => all.map((button) => button.getAttribute("aria-label") ?? ""));
    return labels.map((label) => label.slice("remove ".length));
  }

  async openPanel(name: Panel): Promise<Locator> {
    await this.more.getByRole("tab", { name }).click();
    const panel = this.more.getByRole("tabpanel", { name });
    await expect(panel.getByText("Loading…")).toHaveCount(0);
    return panel;
  }

  /** Chooses by typing, as one does in a list that is long. */
  async pick(combobox: Locator, name: string): Promise<void> {
    await combobox.and(this.page.locator("input")).fill(name);
    await combobox.press("Enter");
    await expect(combobox).toHaveValue(name);
  }

  /** Chooses what a client does. */
  async run(command: string): Promise<void> {
    await this.pick((await this.openPanel("Client")).getByRole("combobox", { name: "Command" }), command);
  }

  async chooseExample(name: string): Promise<void> {
    await this.page.getByRole("button", { name: "Examples" }).click();
    await this.page.getByRole("menuitem", { name }).click();
  }

  /** The link that the page gives. */
  async share(): Promise<string> {
    await this.page.getByRole("button", { name: "Share" }).click();
    const dialog = this.page.getByRole("dialog", { name: "Share" });
    const link = await dialog.getByRole("textbox", { name: "Link" }).inputValue();
    await dialog.getByRole("button", { name: "Close" }).click();
    return link;
  }

  /** Presses a button that copies, and reads what was copied. */
  async copied(button: Locator): Promise<string> {
    await button.click();
    await expect(this.announced).toContainText("copied: ");
    return this.page.evaluate(() => navigator.clipboard.readText());
  }
}

/** Pastes from the clipboard, as Control and V do. */
export async function paste(into: Locator, text: string): Promise<void> {
  await into.page().evaluate((written) => navigator.clipboard.writeText(written), text);
  await into.focus();
  await into.press("Control+v");
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
