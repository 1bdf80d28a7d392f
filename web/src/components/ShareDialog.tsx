/** A link to copy, what is in it, and what is not. */

import { type JSX, Show } from "solid-js";
import { CopyButton } from "./Code";
import { Dialog } from "./Dialog";

const PROMISE =
  "This link contains everything on this page, in a part that browsers never send to a server. Passwords and token signatures we recognised were removed. Check for other secrets before sharing.";

/** Characters; some programs for mail and chat cut longer links. */
const LONG = 8000;

export function ShareDialog(props: { link: string; close: () => void }): JSX.Element {
  return (
    <Dialog title="Share" about={PROMISE} close={props.close}>
      {() => (
        <>
          <div class="fields">
            <label>
              <span>Link</span>
              <input
                class="mono"
                type="text"
                readOnly
                value={props.link}
                onFocus={(event) => event.currentTarget.select()}
              />
            </label>
          </div>
          <Show when={props.link.length > LONG}>
            <p class="remark">
              This link is long ({props.link.length.toLocaleString("en")} characters). Some mail and chat apps cut it
              off.
            </p>
          </Show>
          <div class="row">
            <CopyButton class="primary" text={props.link} label="the link" name="Copy link" />
          </div>
        </>
      )}
    </Dialog>
  );
}
