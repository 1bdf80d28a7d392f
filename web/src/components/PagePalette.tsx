/** The commands of this page. Loaded when they are opened. */

import { type JSX, untrack } from "solid-js";
import { commandsOf, type Page } from "./commands";
import { Palette } from "./Palette";

export function PagePalette(props: { page: Page; close: () => void }): JSX.Element {
  // What is offered is what there was when it was opened.
  const commands = untrack(() => commandsOf(props.page));
  return <Palette commands={commands} close={props.close} />;
}
