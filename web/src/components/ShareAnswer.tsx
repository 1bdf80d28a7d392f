/** The answer, to send to others: into a chat, to the registry's owner, as a link, as a picture. */

import type { JSX } from "solid-js";
import type { SharedCard } from "../cards";
import { announce } from "./announce";
import { CopyButton } from "./Code";
import { download } from "./download";

/** The writers are loaded when one is wanted. */
const cards = () => import("../cards");

export function ShareAnswer(props: { card: SharedCard; link: () => Promise<string> }): JSX.Element {
  const isOpen = () => props.card.tone !== "allowed" && props.card.tone !== "neutral";

  async function save() {
    try {
      const { picture } = await cards();
      download(picture(props.card), "answer.svg", "image/svg+xml");
    } catch {
      announce("The picture couldn't be made. Reload the page and try again.");
    }
  }

  return (
    <div class="answer-actions">
      {isOpen() && (
        <CopyButton
          class={props.card.commands.length > 0 ? "primary" : ""}
          text={async () => (await cards()).forOwner(props.card, await props.link())}
          label="the message to the registry's owner"
          name="Ask the registry owner"
        />
      )}
      <CopyButton
        class=""
        text={async () => (await cards()).forChat(props.card, await props.link())}
        label="the answer as Markdown"
        name="Copy for chat"
      />
      <CopyButton class="" text={props.link} label="the link" name="Copy link" />
      <button type="button" class="quiet" onClick={save}>
        Save picture
      </button>
    </div>
  );
}
