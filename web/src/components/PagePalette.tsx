/** The commands of this page. Loaded when they are opened. */

import type { JSX } from "solid-js";
import { commandsOf, type Page } from "./commands";
import { Palette } from "./Palette";

export function PagePalette(props: { page: Page; close: () => void }): JSX.Element {
  return <Palette commands={commandsOf(props.page)} close={props.close} />;
}
