/** The answer first, in one sentence; then the change that helps, why, and the question. */

import { createEffect, createMemo, createUniqueId, type JSX, on, Show } from "solid-js";
import type { SharedCard } from "../cards";
import { type Assertion, type Edit, readReference } from "../engine";
import { type GivenAnswer, scopesAsked } from "../state/answer";
import { writtenMaps } from "../state/candidates";
import { type Card, cardOf, spokenCard } from "../state/card";
import type { ScopeMapDraft } from "../state/model";
import { neededBy } from "../state/needs";
import type { Playground } from "../state/playground";
import { narrowest } from "../state/system";
import { isKnown } from "../state/token";
import { answered } from "../state/words";
import { announce } from "./announce";
import { ChangeSet } from "./ChangeSet";
import { CommandForm } from "./CommandForm";
import { ExampleAnswer } from "./ExampleAnswer";
import { keepHeight } from "./height";
import { LoginChecks } from "./LoginChecks";
import { MapChoice } from "./MapChoice";
import { goTo } from "./places";
import { QuestionField } from "./QuestionField";
import { Reasons } from "./Reasons";
import { ShareAnswer } from "./ShareAnswer";
import { SystemMap } from "./SystemMap";
import { showInTitle } from "./title";
import { Sentences, Verdict } from "./Verdict";
import "./answer.css";

const STALE = "This answer belongs to the previous question.";

export function AnswerCard(props: {
  playground: Playground;
  stale: boolean;
  link: () => Promise<string>;
  openExample: () => void;
}): JSX.Element {
  const { playground } = props;
  const title = createUniqueId();
  const answer = playground.answer;
  const full = createMemo(() => {
    const given = answer();
    return given.kind === "answer" ? given : null;
  });
  const card = createMemo(() => cardOf(answer(), playground.model.whose === "token"));
  const asks = createMemo(() => {
    const given = answer();
    if (given.kind === "nothing") return given.overview.asks;
    return full()?.isLogin ? "login" : "nothing";
  });
  const choice = createMemo(() => choiceOf(playground));
  const isStale = createMemo(() => props.stale && full() !== null);
  const edits = () => full()?.edits ?? [];
  const subject = createMemo(() => (full() ? playground.model.pasted : null));
  // An answer may be computed again and say the same, and hearing that twice is noise.
  const sentence = createMemo(() => (asks() === "example" || asks() === "paste" ? "" : spokenCard(card())));
  createEffect(on(sentence, (text) => text && announce(text, "verdict"), { defer: true }));
  createEffect(on(isStale, (stale) => stale && announce(STALE, "verdict"), { defer: true }));
  showInTitle(() => (isStale() ? null : card()));

  return (
    <section
      class="card answer"
      tabIndex={-1}
      aria-labelledby={title}
      data-verdict={full()?.verdict}
      data-stale={isStale() ? "" : undefined}
      ref={(element) => keepHeight(element, card, subject)}
    >
      <h2 id={title} class="visually-hidden">
        Answer
      </h2>
      <Show
        when={asks() !== "example"}
        fallback={<ExampleAnswer lead={card().details[0] ?? ""} open={props.openExample} />}
      >
        <Verdict card={card()} note={isStale() ? STALE : ""}>
          <Show when={asks() === "login"}>
            <LoginChecks
              registry={playground.registryNamed()}
              token={isKnown(playground.model.token) ? playground.model.token.name : ""}
            />
          </Show>
          <Show when={asks() === "command"}>
            <CommandForm
              needed={(operation) => neededBy(operation, playground.model.profile)}
              ask={(operation, image) => askOperation(playground, operation, image)}
            />
          </Show>
          <Show when={asks() !== "login"}>
            <MapChoice
              maps={choice().maps}
              chosen={choice().chosen}
              choose={(map) => useMap(playground, map)}
              compare={() => playground.set("panel", "compare")}
            />
          </Show>
        </Verdict>
        <Show when={edits().length > 0}>
          <ChangeSet
            edits={edits()}
            maps={playground.deciding()}
            rows={playground.rows()}
            registry={playground.registryNamed()}
            does="Apply to this map"
            apply={(chosen) => apply(playground, chosen)}
          />
        </Show>
        <Show when={full() || answer().kind === "token" || asks() === "login"}>
          <ShareAnswer card={shared(card(), full())} link={props.link} />
        </Show>
        <Sentences texts={card().last} />
        <Show when={full()}>
          {(given) => (
            <>
              <Show when={replacement(playground, given())}>
                {(to) => (
                  <SystemMap
                    map={to().map}
                    other={to().other}
                    token={playground.model.token.name}
                    registry={playground.registry()}
                  />
                )}
              </Show>
              <Reasons explanations={given().explanations} />
            </>
          )}
        </Show>
      </Show>
      <QuestionField
        question={playground.model.question}
        needed={full()?.scopes ?? ""}
        subject={playground.model.held === "" ? null : playground.model.whose}
        ask={(text) => playground.ask({ kind: "scope", text })}
        look={(subject) => playground.set("whose", subject)}
      >
        <Show when={playground.model.whose === "maps" && full()}>
          {(given) => (
            <SaveAsTest
              answer={given()}
              kept={playground.model.assertions}
              save={(assertion) => playground.assert(assertion)}
            />
          )}
        </Show>
      </QuestionField>
    </section>
  );
}

/** The maps of which the token may have any, and which it has. */
function choiceOf({ model, deciding }: Playground): { maps: ScopeMapDraft[]; chosen: number } {
  const maps = model.profile === "acr" && model.whose === "maps" ? writtenMaps(model.maps) : [];
  const [only, ...others] = deciding();
  const isChosen = only !== undefined && others.length === 0 && model.token.scopeMap !== "";
  return { maps, chosen: isChosen ? maps.indexOf(only) : -1 };
}

function useMap({ model, set }: Playground, map: ScopeMapDraft | null): void {
  set("token", { scopeMap: map?.name ?? "", registry: map?.registry || model.token.registry });
}

/** The built-in map of the token, and the narrowest other one that allows what is asked. */
function replacement(playground: Playground, answer: GivenAnswer): { map: string; other: string } | null {
  const { model, deciding, candidates } = playground;
  const map = deciding()[0]?.name ?? "";
  const isOpen = answer.verdict === "allowed" || answer.edits.length > 0 || answer.isLogin || candidates().length > 0;
  if (!map.startsWith("_") || isOpen || model.whose !== "maps") return null;
  const other = narrowest(scopesAsked(playground), model.catalog);
  return other && other !== map ? { map, other } : null;
}

/** What is sent to others of an answer. */
export function shared({ tone, word, headline, details, last }: Card, answer: GivenAnswer | null): SharedCard {
  const commands = answer?.edits.map(({ command }) => command) ?? [];
  return { tone, word, headline, details: commands.length > 0 ? details : [...details, ...last], commands };
}

function apply(playground: Playground, edits: Edit[]): void {
  playground.apply(edits);
  // The button goes with what it did.
  goTo("answer");
  announce("Scope map updated.");
}

/** Asks what the image's registry is asked by the client. */
function askOperation(playground: Playground, operation: string, image: string): void {
  const { registry, repository, tag, digest } = readReference(image);
  const target = { registry: registry ?? "", repository, tag: tag ?? "latest", source: "" };
  playground.addRepositories([repository]);
  playground.ask({ kind: "operation", operation, target: { ...target, ...(digest === null ? {} : { digest }) } });
}

/**
 * Turns the answer into assertions: what is allowed must stay allowed, and what is denied, denied.
 */
function SaveAsTest(props: {
  answer: GivenAnswer;
  kept: Assertion[];
  save: (assertion: Assertion) => void;
}): JSX.Element {
  // An assertion is about all of a scope, so an answer that is neither is two.
  const answers = (): Assertion[] =>
    props.answer.explanations.flatMap((explanation) => [
      ...answered(explanation, true).map((allow) => ({ allow })),
      ...answered(explanation, false).map((deny) => ({ deny })),
    ]);
  const isKept = ({ allow, deny }: Assertion) => props.kept.some((kept) => kept.allow === allow && kept.deny === deny);
  const missing = () => answers().filter((assertion) => !isKept(assertion));

  function save() {
    if (missing().length === 0) return;
    for (const assertion of missing()) props.save(assertion);
    announce("Saved as a test.");
  }

  return (
    <Show when={answers().length > 0}>
      <button type="button" onClick={save} aria-disabled={missing().length === 0}>
        {missing().length === 0 ? "Saved as test" : "Save as test"}
      </button>
    </Show>
  );
}
