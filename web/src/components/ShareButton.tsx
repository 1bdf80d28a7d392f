/** Copies a link that holds the whole page, and says what it leaves out. */

import { createSignal, type JSX, Show } from "solid-js";
import type { Address } from "../state/address";
import { announce } from "./announce";
import { CopyButton } from "./Code";

const promise =
  "The link holds everything on this page, in the part of an address that browsers never send. Signatures of tokens and passwords are taken out; look before you send it whether something is a password that nothing tells to be one.";

export function ShareButton(props: { address: Address }): JSX.Element {
  const [link, setLink] = createSignal("");
  let dialog: HTMLDialogElement | undefined;

  async function share() {
    setLink(await props.address.share());
    dialog?.showModal();
    announce(promise);
  }

  return (
    <>
      <button type="button" onClick={share}>
        Share
      </button>
      <dialog ref={dialog} aria-labelledby="share-title">
        <h2 id="share-title">Share this page</h2>
        <p>{promise}</p>
        <label>
          <span class="visually-hidden">the link</span>
          <input class="mono" type="text" readOnly value={link()} onFocus={(event) => event.currentTarget.select()} />
        </label>
        <Show when={link().length > 8000}>
          <p class="remark">
            This link has {link().length.toLocaleString("en")} characters; some mail and chat programs cut links of this
            size.
          </p>
        </Show>
        <form method="dialog" class="row">
          <CopyButton text={link()} label="the link" name="Copy link" />
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}
