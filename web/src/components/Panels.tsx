/** What else there is to see: a client at work, the token, another map, the tests. */

import { createUniqueId, type JSX, Match, Suspense, Switch } from "solid-js";
import type { Panel } from "../state/model";
import type { Playground } from "../state/playground";
import type { Pointing } from "../state/pointing";
import { later } from "./later";
import { Tabs } from "./Tabs";
import "./panels.css";

const ClientOfPage = later(async () => (await import("./ClientOfPage")).ClientOfPage);
const CompareOfPage = later(async () => (await import("./CompareOfPage")).CompareOfPage);
const TestsOfPage = later(async () => (await import("./TestsOfPage")).TestsOfPage);
const TokenOfPage = later(async () => (await import("./TokenOfPage")).TokenOfPage);

export function Panels(props: { playground: Playground; pointing: Pointing }): JSX.Element {
  const panel = createUniqueId();
  const tabs = (): { id: Panel; name: string; count?: number }[] => [
    { id: "client", name: "Client" },
    { id: "token", name: "Token" },
    { id: "compare", name: "Compare" },
    { id: "tests", name: "Tests", count: props.playground.model.assertions.length },
  ];
  const chosen = () => props.playground.model.panel;
  return (
    <section class="card panels" aria-label="Details">
      <Tabs
        label="Details"
        tabs={tabs()}
        chosen={chosen()}
        choose={(panel) => props.playground.set("panel", panel)}
        panel={panel}
      />
      <div id={panel} role="tabpanel" aria-labelledby={`${panel}-tab-${chosen()}`}>
        <Suspense fallback={<p class="muted">Loading…</p>}>
          <Switch>
            <Match when={chosen() === "client"}>
              <ClientOfPage playground={props.playground} pointing={props.pointing} />
            </Match>
            <Match when={chosen() === "token"}>
              <TokenOfPage playground={props.playground} />
            </Match>
            <Match when={chosen() === "compare"}>
              <CompareOfPage playground={props.playground} />
            </Match>
            <Match when={chosen() === "tests"}>
              <TestsOfPage playground={props.playground} />
            </Match>
          </Switch>
        </Suspense>
      </div>
    </section>
  );
}
