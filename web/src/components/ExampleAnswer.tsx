/** An empty page shows what it does: a paste that many know, answered by the engine. */

import { createMemo, type JSX } from "solid-js";
import { cardOf } from "../state/card";
import { examples } from "../state/examples";
import { createPaste } from "../state/paste";
import { createPlayground } from "../state/playground";
import { Code } from "./Code";
import { Sentence } from "./Sentence";
import { Verdict } from "./Verdict";

export function ExampleAnswer(props: { lead: string; open: () => void }): JSX.Element {
  const playground = createPlayground();
  createPaste(playground).write(examples[0]?.pasted ?? "");
  const card = createMemo(() => cardOf(playground.answer(), false));
  const command = () => {
    const answer = playground.answer();
    return answer.kind === "answer" ? answer.edits.map((edit) => edit.command).join("\n") : "";
  };
  return (
    <>
      <p>
        <Sentence text={props.lead} />
      </p>
      <div class="example">
        <p class="example-note">An example: a denied push</p>
        <Verdict card={card()} />
        <Code text={command()} label="the example's fix">
          <button type="button" class="quiet" onClick={props.open}>
            Open this example
          </button>
        </Code>
      </div>
    </>
  );
}
