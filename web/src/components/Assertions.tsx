/**
 * Assertions about what is granted, each with whether it passes, to edit; and the file of them that
 * runs in CI.
 *
 * Takes the checks as they are. Left out: adding one, which is done where an answer is.
 */

import { Index, type JSX, Show } from "solid-js";
import type { Assertion } from "../engine";
import type { Check } from "../state/assertions";
import { CopyButton } from "./Code";
import { download } from "./download";
import { Mark } from "./Mark";
import { More } from "./More";
import { Sentence } from "./Sentence";
import "./assertions.css";

/** More are checked and counted, and not drawn. */
const MAX_SHOWN = 200;

const FILE_NAME = "access.yaml";

export function Assertions(props: {
  items: readonly Assertion[];
  /** What became of each, in the same order. */
  checks: readonly Check[];
  /** What is said of all of them; empty where there is nothing to say. */
  note: string;
  /** The file of them, as YAML. */
  file: string;
  onChange: (items: Assertion[]) => void;
}): JSX.Element {
  const passing = () => props.checks.filter(passes).length;
  const replace = (index: number, item: Assertion) => props.onChange(props.items.toSpliced(index, 1, item));
  let root: HTMLDivElement | undefined;

  /** The focus goes to the next one, or to what is said where there is none. */
  function remove(index: number) {
    props.onChange(props.items.toSpliced(index, 1));
    const buttons = [...(root?.querySelectorAll<HTMLElement>("li .remove") ?? [])];
    (buttons[index] ?? buttons.at(-1) ?? root?.querySelector<HTMLElement>("[tabindex='-1']"))?.focus();
  }

  return (
    <div class="stack" ref={root}>
      <Show
        when={props.items.length > 0}
        fallback={
          <p class="muted" tabIndex={-1}>
            Save an answer as a test, or paste an assertions file. Tests run as you type, and in CI with{" "}
            <code>scopegate test</code>.
          </p>
        }
      >
        <p>
          <strong>
            {passing().toLocaleString("en")} of {props.items.length.toLocaleString("en")} pass
          </strong>
        </p>
        <Show when={props.note !== ""}>
          <p class="muted small">
            <Sentence text={props.note} />
          </p>
        </Show>
        <ul class="plain assertions">
          <Index each={props.items.slice(0, MAX_SHOWN)}>
            {(item, index) => (
              <Line
                item={item()}
                check={props.checks[index]}
                write={(written) => replace(index, written)}
                remove={() => remove(index)}
              />
            )}
          </Index>
        </ul>
        <More all={props.items.length} shown={MAX_SHOWN} />
        <div class="row">
          <CopyButton text={props.file} label="the tests as YAML" name="Copy YAML" />
          <button type="button" onClick={() => download(props.file, FILE_NAME, "application/yaml")}>
            Download {FILE_NAME}
          </button>
        </div>
      </Show>
    </div>
  );
}

function Line(props: {
  item: Assertion;
  check: Check | undefined;
  write: (item: Assertion) => void;
  remove: () => void;
}): JSX.Element {
  const other = () => (isAllow(props.item) ? "deny" : "allow");
  return (
    <li>
      <Mark sign={passes(props.check) ? "allowed" : "denied"} label={passes(props.check) ? "Passes" : "Fails"} />
      <div class="assertion">
        <p class="mono break">
          <strong>{isAllow(props.item) ? "allow" : "deny"}</strong> {scopeOf(props.item)}
        </p>
        <input
          type="text"
          aria-label="Reason (optional)"
          placeholder="Reason (optional)"
          value={props.item.why ?? ""}
          onInput={(event) => props.write(withReason(props.item, event.currentTarget.value))}
        />
        <Show when={whyNot(props.check)}>
          {(why) => (
            <p class="problem small">
              <Sentence text={why()} />
            </p>
          )}
        </Show>
      </div>
      <div class="assertion-actions">
        <button
          type="button"
          class="quiet"
          aria-label={`Switch to ${other()}: ${scopeOf(props.item)}`}
          onClick={() => props.write(inverted(props.item))}
        >
          Switch to {other()}
        </button>
        <button
          type="button"
          class="quiet remove"
          aria-label={`remove ${scopeOf(props.item)}`}
          onClick={() => props.remove()}
        >
          ×
        </button>
      </div>
    </li>
  );
}

function passes(check: Check | undefined): boolean {
  return check?.kind === "holds";
}

function whyNot(check: Check | undefined): string | undefined {
  return check && check.kind !== "holds" ? check.why : undefined;
}

function isAllow(item: Assertion): boolean {
  return item.allow !== undefined;
}

function scopeOf(item: Assertion): string {
  return item.allow ?? item.deny ?? "";
}

function withReason(item: Assertion, why: string): Assertion {
  return written(isAllow(item), scopeOf(item), why.trim() === "" ? undefined : why);
}

function inverted(item: Assertion): Assertion {
  return written(!isAllow(item), scopeOf(item), item.why);
}

function written(isAllowed: boolean, scope: string, why: string | undefined): Assertion {
  const kept = why === undefined ? {} : { why };
  return isAllowed ? { allow: scope, ...kept } : { deny: scope, ...kept };
}
