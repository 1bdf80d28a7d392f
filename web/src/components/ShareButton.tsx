/** A button that makes a link to the whole page, and opens the dialog with it. */

import { createSignal, type JSX, Show, Suspense } from "solid-js";
import { later } from "./later";

const ShareDialog = later(async () => (await import("./ShareDialog")).ShareDialog);

export function ShareButton(props: { link: () => Promise<string> }): JSX.Element {
  const [link, setLink] = createSignal<string | null>(null);
  return (
    <>
      <button type="button" onClick={async () => setLink(await props.link())}>
        Share
      </button>
      <Show when={link()}>
        {(made) => (
          <Suspense>
            <ShareDialog link={made()} close={() => setLink(null)} />
          </Suspense>
        )}
      </Show>
    </>
  );
}
