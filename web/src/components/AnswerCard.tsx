/** The question, the verdict in a sentence, why, and how to fix it. */

import { createEffect, createMemo, For, type JSX, Match, on, Show, Switch } from "solid-js";
import { scopeText } from "../clients/scopes";
import { type Assertion, type Explanation, readScopes } from "../engine";
import { type Answer, type GivenAnswer, scopesAsked, type Verdict } from "../state/answer";
import { isLoginRefused, LOGIN_REFUSED } from "../state/caveats";
import type { Playground } from "../state/playground";
import { narrowest } from "../state/system";
import { announce } from "./announce";
import { Code } from "./Code";
import { Fixes } from "./Fixes";
import { keepHeight } from "./height";
import { MapChoice } from "./MapChoice";
import { Mark, type Sign } from "./Mark";
import { QuestionField } from "./QuestionField";
import { Reasons } from "./Reasons";
import { Sentence } from "./Sentence";

const words: Record<Verdict, string> = {
  allowed: "Allowed",
  denied: "Denied",
  partly: "Partly",
  unsure: "Not certain",
};

const STALE = "This answer belongs to the previous question.";

export function AnswerCard(props: { playground: Playground; stale: boolean }): JSX.Element {
  const answer = () => props.playground.answer();
  const full = createMemo(() => {
    const given = answer();
    return given.kind === "answer" ? given : null;
  });
  const subject = createMemo(() => (full() ? props.playground.model.pasted : null));
  // An answer may be computed again and say the same, and hearing that twice is noise.
  const sentence = createMemo(() => spoken(answer()));
  createEffect(on(sentence, (text) => text && announce(text, "verdict"), { defer: true }));
  const isStale = createMemo(() => props.stale && full() !== null);
  createEffect(on(isStale, (stale) => stale && announce(STALE, "verdict"), { defer: true }));

  return (
    <section
      class="card answer"
      id="answer"
      tabIndex={-1}
      aria-labelledby="answer-title"
      data-verdict={full()?.verdict}
      data-stale={props.stale && full() ? "" : undefined}
      ref={(card) => keepHeight(card, subject)}
    >
      <h2 id="answer-title" class="visually-hidden">
        Answer
      </h2>
      <QuestionField playground={props.playground} />
      <Switch>
        <Match when={answer().kind === "nothing"}>
          <p class="muted">
            <Show
              when={props.playground.model.reported}
              fallback="Paste the line that failed, a scope map or a token on the left, or ask for a scope here. The answer appears as you type."
            >
              <Show
                when={isLoginRefused(props.playground.model)}
                fallback="The error does not say what was refused: paste the command as well, or ask for the scope here."
              >
                <Sentence text={LOGIN_REFUSED} />
              </Show>
            </Show>
          </p>
          <MapChoice playground={props.playground} />
        </Match>
        <Match when={asProblem(answer())}>
          {(problem) => (
            <p class="verdict">
              <Mark sign="note" />
              <span>
                <strong>{problem().message}</strong>
                <span class="hint"> {problem().hint}</span>
              </span>
            </p>
          )}
        </Match>
        <Match when={said(answer())}>
          {(sentences) => (
            <div class="verdict">
              <Show when={answer().kind === "incomplete"}>
                <Mark sign="note" />
              </Show>
              <div>
                <For each={sentences()}>
                  {(sentence) => (
                    <p class="sentence">
                      <Sentence text={sentence} />
                    </p>
                  )}
                </For>
              </div>
            </div>
          )}
        </Match>
        <Match when={full()}>
          {(given) => (
            <>
              <Show when={props.stale}>
                <p class="stale-note">{STALE}</p>
              </Show>
              <div class="verdict">
                <Mark sign={signOf(given().verdict)} />
                <div>
                  <strong class="verdict-word">{wordOf(given())}</strong>
                  <For each={[...first(given()), ...given().needs]}>
                    {(text) => (
                      <p class="sentence">
                        <Sentence text={text} />
                      </p>
                    )}
                  </For>
                  <Headline answer={given()} />
                </div>
              </div>
              <Show when={!given().isLogin}>
                <MapChoice playground={props.playground} />
              </Show>
              <KeepAsTest playground={props.playground} answer={given()} />
              <Show when={given().edits.length > 0}>
                <Fixes playground={props.playground} edits={given().edits} />
              </Show>
              <For each={last(given())}>
                {(text) => (
                  <p class="sentence">
                    <Sentence text={text} />
                  </p>
                )}
              </For>
              <SystemMap playground={props.playground} answer={given()} />
              <Reasons explanations={given().explanations} />
            </>
          )}
        </Match>
      </Switch>
    </section>
  );
}

/** A system-defined map cannot be changed: its token is given another one. */
function SystemMap(props: { playground: Playground; answer: GivenAnswer }): JSX.Element {
  const map = () => props.playground.deciding()[0];
  const isSystem = () =>
    map()?.name.startsWith("_") &&
    !props.answer.isLogin &&
    props.playground.candidates().length === 0 &&
    props.answer.verdict !== "allowed" &&
    props.answer.edits.length === 0;
  const other = createMemo(() =>
    isSystem() && props.playground.model.whose === "maps"
      ? narrowest(scopesAsked(props.playground), props.playground.model.catalog)
      : null,
  );
  return (
    <Show when={other() !== map()?.name && other()}>
      {(name) => (
        <div class="stack">
          <p>
            <Sentence text={`\`${map()?.name}\` is system-defined and cannot be changed; \`${name()}\` allows this:`} />
          </p>
          <Code
            text={`az acr token update --name ${props.playground.model.token.name} --registry ${props.playground.registry() || "$REGISTRY"} --scope-map ${name()}`}
            label="the command that gives the token another scope map"
          />
        </div>
      )}
    </Show>
  );
}

/**
 * Turns the answer into assertions: what is allowed must stay allowed, and what is denied, denied.
 */
function KeepAsTest(props: { playground: Playground; answer: GivenAnswer }): JSX.Element {
  const answers = () => props.answer.explanations.flatMap(asAssertions);
  const isKept = ({ allow, deny }: Assertion) =>
    props.playground.model.assertions.some((kept) => kept.allow === allow && kept.deny === deny);
  const missing = () => answers().filter((assertion) => !isKept(assertion));

  function keep() {
    if (missing().length === 0) return;
    for (const assertion of missing()) props.playground.assert(assertion);
    announce("kept as a test");
  }

  return (
    <Show when={props.playground.model.whose === "maps" && answers().length > 0}>
      <div class="row">
        <button type="button" onClick={keep} aria-disabled={missing().length === 0}>
          {missing().length === 0 ? "Kept as a test" : "Keep as a test"}
        </button>
      </div>
    </Show>
  );
}

/** An assertion is about all of a scope, so an answer that is neither is two. */
function asAssertions({ scope, reasons }: Explanation): Assertion[] {
  const about = (isGranted: boolean) => {
    const actions = reasons.filter(({ granted }) => granted === isGranted).map(({ action }) => action);
    return actions.length > 0 ? readScopes(scope).scopes.map((entry) => scopeText({ ...entry, actions })) : [];
  };
  return [...about(true).map((allow) => ({ allow })), ...about(false).map((deny) => ({ deny }))];
}

/**
 * What the client does, where there is one, and the engine's own sentences on what is denied; on
 * what is granted otherwise.
 */
function Headline(props: { answer: GivenAnswer }): JSX.Element {
  return (
    <>
      <Show when={props.answer.simulation}>
        {(simulation) => (
          <p class="sentence">
            <Sentence text={`\`${props.answer.asked}\` ${outcome[simulation().outcome]}`} />
          </p>
        )}
      </Show>
      <For each={sentences(props.answer)}>
        {(sentence) => (
          <p class="sentence">
            <Sentence text={sentence} />
          </p>
        )}
      </For>
    </>
  );
}

const outcome = { works: "works", fails: "fails", "works-partly": "works only partly" };

function sentences(answer: GivenAnswer): string[] {
  const said = answer.explanations.flatMap(({ text, reasons }) =>
    text
      .trimEnd()
      .split("\n")
      // There is one sentence for each reason.
      .map((sentence, index) => ({ sentence, granted: reasons[index]?.granted ?? false })),
  );
  const denied = said.filter(({ granted }) => !granted);
  return (answer.verdict === "allowed" || denied.length === 0 ? said : denied).map(({ sentence }) => sentence);
}

function signOf(verdict: Verdict): Sign {
  return verdict === "unsure" ? "note" : verdict;
}

/** A login that was refused is no verdict on rights. */
function wordOf({ isLogin, verdict }: GivenAnswer): string {
  return isLogin && verdict === "unsure" ? "Login refused" : words[verdict];
}

/** What is before the change that helps, and what behind it. */
function first({ caveats }: GivenAnswer): string[] {
  return caveats.filter(({ isLast }) => !isLast).map(({ text }) => text);
}

function last({ caveats }: GivenAnswer): string[] {
  return caveats.filter(({ isLast }) => isLast).map(({ text }) => text);
}

/** What is said where no verdict is given. */
function said(answer: Answer): string[] | undefined {
  if (answer.kind === "incomplete") return answer.missing;
  return answer.kind === "token" ? answer.sentences : undefined;
}

/** A scope that is still being written is not announced. */
function spoken(answer: Answer): string {
  if (answer.kind === "problem") return answer.problem.message;
  if (answer.kind === "token") return answer.sentences.join(" ").replaceAll("`", "");
  if (answer.kind !== "answer") return "";
  const said = [...first(answer), ...answer.needs, ...sentences(answer), ...last(answer)];
  return `${wordOf(answer)}: ${said.join("; ").replaceAll("`", "")}`;
}

function asProblem(answer: Answer) {
  return answer.kind === "problem" ? answer.problem : undefined;
}
