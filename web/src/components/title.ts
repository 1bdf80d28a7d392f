/** The verdict in the title and the icon of the page, to be found among many tabs. */

import { createEffect, onCleanup } from "solid-js";
import type { Card } from "../state/card";

const NAME = "Scopegate";
const EMPTY = "Scopegate playground: what can this token do?";
const COLOURS: Partial<Record<Card["tone"], string>> = {
  allowed: "2f9e5b",
  denied: "e5483b",
  partly: "e0a021",
  unsure: "e0a021",
};

/** Shows the card that is given; null for none that is of what is asked now. */
export function showInTitle(card: () => Card | null): void {
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  const plain = icon?.href ?? "";
  const show = (title: string, colour: string | undefined) => {
    document.title = title;
    const dot = `%3Ccircle cx='48' cy='48' r='15' fill='%23${colour}'/%3E%3C/svg%3E`;
    if (icon) icon.href = colour === undefined ? plain : plain.replace(/%3C\/svg%3E$/, dot);
  };
  createEffect(() => {
    const shown = card();
    const word = shown?.word ?? "";
    const asked = shown?.asked ?? "";
    show(
      word === "" ? EMPTY : `${[word, asked].filter((text) => text !== "").join(": ")} – ${NAME}`,
      shown && word !== "" ? COLOURS[shown.tone] : undefined,
    );
  });
  onCleanup(() => show(EMPTY, undefined));
}
