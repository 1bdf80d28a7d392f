/** A text to copy, with the button that does. */

import { createSignal, type JSX, onCleanup, Show } from "solid-js";
import { announce } from "./announce";
import "./code.css";

/** Who wants more of it copies it. */
const MAX_SHOWN = 20_000;

export function Code(props: { text: string; label: string; children?: JSX.Element }): JSX.Element {
  return (
    <div class="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>
          {props.text.slice(0, MAX_SHOWN)}
          {props.text.length > MAX_SHOWN
            ? `\n… and ${(props.text.length - MAX_SHOWN).toLocaleString("en")} more characters (Copy includes them)`
            : ""}
        </code>
      </pre>
      <div class="code-actions">
        <CopyButton text={props.text} label={props.label} />
        {props.children}
      </div>
    </div>
  );
}

export function CopyButton(props: {
  /** What is copied, or what makes it when it is wanted. */
  text: string | (() => Promise<string>);
  label: string;
  name?: string;
  class?: string;
}): JSX.Element {
  const [copied, setCopied] = createSignal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));

  async function press() {
    if (!(await copyAndSay(props.text, props.label))) return;
    setCopied(true);
    clearTimeout(timer);
    timer = setTimeout(() => setCopied(false), 2000);
  }

  return (
    <button
      type="button"
      class={props.class ?? "quiet"}
      onClick={press}
      aria-label={props.name ? undefined : `copy ${props.label}`}
    >
      <Show when={copied()} fallback={props.name ?? "Copy"}>
        Copied
      </Show>
    </button>
  );
}

/** Copies a text, and says so; false where the browser refuses. */
export async function copyAndSay(text: string | (() => Promise<string>), label: string): Promise<boolean> {
  const isCopied = await toClipboard(text);
  announce(isCopied ? `copied: ${label}` : "Couldn't copy. Select the text and copy it yourself.");
  return isCopied;
}

/** Pages that are not served securely have no clipboard; the old way works there. */
async function toClipboard(given: string | (() => Promise<string>)): Promise<boolean> {
  const text = typeof given === "string" ? given : await given().catch(() => null);
  if (text === null) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
