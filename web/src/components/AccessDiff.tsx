/**
 * What one map grants and another does not, with a repository to prove each difference: the
 * heaviest first, to copy for a review and as a check for CI.
 *
 * Not a comparison of texts. Says which two maps they are.
 */

import { createMemo, type JSX, Show } from "solid-js";
import type { Difference } from "../engine";
import { byWeight, isGrave } from "../state/compared";
import { CopyButton } from "./Code";
import { type Column, DataTable } from "./DataTable";
import { Mark } from "./Mark";
import { Sentence } from "./Sentence";
import "./access-diff.css";

/** The writers are loaded when one is wanted. */
const cards = () => import("../cards");

/** A map that is compared, as it is called. */
export interface Compared {
  name: string;
  actions: readonly string[];
}

export function AccessDiff(props: {
  before: Compared;
  after: Compared;
  differences: readonly Difference[];
  /** Asks about a repository, and all of its actions that differ. */
  ask: (repository: string, actions: string[]) => void;
}): JSX.Element {
  const rows = createMemo(() => byWeight(props.differences));
  const review = async () =>
    (await cards()).forReview({ before: props.before.name, after: props.after.name, rows: rows() });
  const check = async () => (await cards()).forCi(props.before, props.after);

  const columns: Column<Difference>[] = [
    {
      name: "Repositories",
      isHead: true,
      order: (one, other) => one.pattern.localeCompare(other.pattern, "en"),
      cell: (difference) => <Repositories difference={difference} />,
    },
    { name: "Added", class: "gained", cell: ({ gained }) => signed("+", gained) },
    { name: "Removed", class: "lost", cell: ({ lost }) => signed("−", lost) },
    {
      name: "Example",
      cell: ({ witness, gained, lost }) => (
        <button type="button" class="quiet mono" onClick={() => props.ask(witness, [...gained, ...lost])}>
          {witness}
        </button>
      ),
    },
  ];

  return (
    <>
      <h3>
        <Sentence text={`\`${props.before.name}\` → \`${props.after.name}\``} />
      </h3>
      <div class="row">
        <CopyButton class="" text={review} label="the comparison as Markdown" name="Copy as PR comment" />
        <CopyButton class="" text={check} label="the check for CI" name="Copy as CI check" />
      </div>
      <Show
        when={rows().length > 0}
        fallback={
          <p class="verdict small-verdict">
            <Mark sign="allowed" />
            <span>No difference: both grant exactly the same access.</span>
          </p>
        }
      >
        <DataTable caption="Differences" columns={columns} rows={rows()} />
      </Show>
    </>
  );
}

function Repositories(props: { difference: Difference }): JSX.Element {
  const { pattern } = props.difference;
  return (
    <>
      <span class="mono">{pattern}</span>
      <Show when={isGrave(props.difference)}>
        <span class="problem small block">
          <Sentence text={`Any new repository${pattern === "*" ? "" : ` below \`${pattern.slice(0, -1)}\``}, too`} />
        </span>
      </Show>
    </>
  );
}

function signed(sign: string, actions: string[]): string {
  return actions.map((action) => `${sign}${action}`).join(" ");
}
