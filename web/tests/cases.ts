/**
 * Pasted texts with the right answers, `tests/cases/playground`: read by the tests of the page's
 * state.
 */

import { readFileSync } from "node:fs";

/** What is true of the answer. A field that is absent is not checked. */
export interface Case {
  file: string;
  kind: string;
  why: string;
  verdict?: string;
  verdictNot?: string | string[];
  asked?: { repository: string; actions: string[] };
  registry?: string;
  maps?: { name: string; actions: string[] }[];
  token?: { name?: string; scopeMap?: string; status?: string };
  /** Texts that are somewhere in the answer, and texts that are not. */
  says?: string[];
  saysNot?: string[];
  /** Texts that are gone from what is kept and shared, and texts near them that stay. */
  secrets?: string[];
  keeps?: string[];
}

const FOLDER = new URL("../../tests/cases/playground/", import.meta.url);

export function allCases(): Case[] {
  return JSON.parse(readFileSync(new URL("cases.json", FOLDER), "utf8")) as Case[];
}

export function casesOfKind(kind: string): Case[] {
  return allCases().filter((one) => one.kind === kind);
}

/** What is in a file of `pastes` or `secrets`. */
export function textOf(folder: "pastes" | "secrets", { file }: Case): string {
  return readFileSync(new URL(`${folder}/${file}`, FOLDER), "utf8");
}

/** What is pasted one after the other. */
export function piecesOf(one: Case): string[] {
  return textOf("pastes", one).split(/^===8<===\n/m);
}
