/**
 * Everything that the palette can do, as one list. What is added to the page and may be wanted by
 * name belongs here.
 *
 * Left out: what needs something to be typed, which is done in its own field.
 */

import { cardOf } from "../state/card";
import { comparedName } from "../state/compared";
import { examples } from "../state/examples";
import { type Panel, panels } from "../state/model";
import type { Theme } from "../state/theme";
import { sentence } from "../state/words";
import { shared } from "./AnswerCard";
import { copyAndSay } from "./Code";
import { copyAs, FORMS } from "./exporting";
import { deleteSavedData } from "./Footer";
import { openExample } from "./open-example";
import type { Command } from "./Palette";
import type { PageParts } from "./parts";
import { goTo, type Place } from "./places";
import { REDO_KEYS, UNDO_KEYS } from "./shortcuts";

/** What commands act on. */
export interface Page extends PageParts {
  theme: Theme;
  chooseTheme: (theme: Theme) => void;
}

export function commandsOf(page: Page): Command[] {
  return [...places(page), ...answer(page), ...maps(page), ...exampleCommands(page), ...whole(page)];
}

const PLACE_NAMES: [Place, string, string][] = [
  ["paste", "Paste field", "Paste an error, token or scope map."],
  ["answer", "Answer", "What the token can do, and why."],
  ["question", "Check a scope", "Ask for a scope that you type."],
  ["matrix", "Repositories", "Who can do what, repository by repository."],
  ["rules", "Rules", "The rules of the scope map."],
];

const PANEL_NAMES: Record<Panel, [string, string]> = {
  client: ["Client", "Each request of a command, and where it fails."],
  token: ["Token", "The pasted token, and a preview of the one that would be issued."],
  compare: ["Compare", "What one scope map grants and another does not."],
  tests: ["Tests", "Saved answers, checked at each change."],
};

function places({ playground }: Page): Command[] {
  const open = (panel: Panel) => {
    playground.set("panel", panel);
    goTo("panel");
  };
  return inGroup("Go to", [
    ...PLACE_NAMES.map(([id, name, hint]) => ({
      id,
      name,
      hint,
      ...(id === "paste" ? { keys: "/" } : {}),
      run: () => goTo(id),
    })),
    ...panels.map((id) => ({ id, name: PANEL_NAMES[id][0], hint: PANEL_NAMES[id][1], run: () => open(id) })),
  ]);
}

/** The answer, to send on; nothing where there is none. */
function answer({ playground, address }: Page): Command[] {
  const given = playground.answer();
  if (given.kind !== "answer" && given.kind !== "token") return [];
  const card = shared(cardOf(given, playground.model.whose === "token"), given.kind === "answer" ? given : null);
  const written = (as: "forChat" | "forOwner") => async () =>
    (await import("../cards"))[as](card, await address.share());
  const askOwner = {
    id: "ask-owner",
    name: "Ask the registry owner",
    hint: "Copy a message with the exact command.",
    run: () => void copyAndSay(written("forOwner"), "the message to the registry's owner"),
  };
  return inGroup("Answer", [
    {
      id: "copy-link",
      name: "Copy link",
      hint: "A link that holds this page, and opens as the answer.",
      run: () => void copyAndSay(() => address.share(), "the link"),
    },
    {
      id: "copy-chat",
      name: "Copy for chat",
      hint: "The answer as Markdown.",
      run: () => void copyAndSay(written("forChat"), "the answer as Markdown"),
    },
    ...(card.tone === "allowed" || card.tone === "neutral" ? [] : [askOwner]),
  ]);
}

/** The most scope maps that have commands of their own: a paste may hold thousands. */
const MAX_MAPS = 10;

/** The scope maps, to take out. */
function maps({ playground }: Page): Command[] {
  const { model } = playground;
  return model.maps.slice(0, MAX_MAPS).flatMap((map, index) => {
    if (map.actions.length === 0) return [];
    const title = model.maps.length === 1 ? "Scope map" : `Scope map: ${comparedName(model, index)}`;
    return inGroup(
      title,
      FORMS.map((form) => ({
        id: `export-${index}-${form.id}`,
        name: `Export as ${form.name}`,
        hint: sentence(`copy ${form.about}`),
        run: () => void copyAs(map, form),
      })),
    );
  });
}

function exampleCommands({ memory, paste }: Page): Command[] {
  return inGroup(
    "Examples",
    examples.map((example, index) => ({
      id: `example-${index}`,
      name: example.name,
      hint: sentence(example.about),
      run: () => openExample(memory, paste, example),
    })),
  );
}

const THEMES: [Theme, string][] = [
  ["system", "As the system says."],
  ["light", "A light ground."],
  ["dark", "A dark ground."],
];

/** What is about all of the page. */
function whole({ playground, history, memory, theme, chooseTheme }: Page): Command[] {
  const isAzure = playground.model.profile === "acr";
  const undo = { id: "undo", name: "Undo", hint: `Take back the last change (${UNDO_KEYS}).`, run: history.undo };
  const redo = { id: "redo", name: "Redo", hint: `Make it again (${REDO_KEYS}).`, run: history.redo };
  return inGroup("Page", [
    ...(history.canUndo() ? [undo] : []),
    ...(history.canRedo() ? [redo] : []),
    ...THEMES.filter(([other]) => other !== theme).map(([other, hint]) => ({
      id: `theme-${other}`,
      name: `Theme: ${other}`,
      hint,
      run: () => chooseTheme(other),
    })),
    {
      id: "profile",
      name: `Registry type: ${isAzure ? "CNCF Distribution" : "Azure Container Registry"}`,
      hint: "Registries differ in what listing tags needs.",
      run: () => playground.set("profile", isAzure ? "distribution" : "acr"),
    },
    {
      id: "delete",
      name: "Delete saved data",
      hint: "Everything that this browser has saved of the page.",
      run: () => deleteSavedData(memory),
    },
  ]);
}

function inGroup(group: string, commands: Omit<Command, "group">[]): Command[] {
  return commands.map((command) => ({ ...command, group }));
}
