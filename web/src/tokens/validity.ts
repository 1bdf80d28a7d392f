/**
 * The times of a token in words, against a clock that the caller brings.
 *
 * Whether a registry accepts a token at a time is the engine's to say. A token of another issuer
 * may leave out when it begins.
 */

import { acceptTimes } from "../engine";
import type { Json } from "./decode";

export interface Validity {
  readonly kind: "valid" | "expired" | "not-yet" | "unknown";
  readonly text: string;
  /** Whether a registry would accept it, which is a minute more on both ends. */
  readonly isAccepted: boolean;
}

/** `now` is in seconds since 1970, as the claims are. */
export function validity(claims: Json, now: number): Validity {
  const [begin, end] = [seconds(claims.nbf), seconds(claims.exp)];
  if (end === null) return { kind: "unknown", text: "no expiry (`exp`) in the token", isAccepted: false };
  const accepted = acceptTimes(begin ?? Math.min(end, now), end, now);
  const isAccepted = accepted === "accepted";
  if (accepted === "lifetime_too_long" && (begin ?? now) <= now && now < end)
    return { kind: "unknown", text: `registries don't accept a lifetime of ${span(end - (begin ?? now))}`, isAccepted };
  if (begin !== null && begin > now)
    return { kind: "not-yet", text: `not valid yet: starts in ${span(begin - now)} (${date(begin)})`, isAccepted };
  if (now >= end)
    return { kind: "expired", text: `expired ${now === end ? "just now" : `${span(now - end)} ago`}`, isAccepted };
  return { kind: "valid", text: `expires in ${span(end - now)}`, isAccepted };
}

function seconds(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** The largest unit that there is one of, rounded down: `57 minutes`. */
export function span(length: number): string {
  const [unit, size] = UNITS.find(([, size]) => length >= size) ?? ["second", 1];
  const count = Math.floor(length / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** A time as people write it, in UTC; nothing where a calendar has no such day. */
export function date(time: number): string {
  const date = new Date(time * 1000);
  return Number.isNaN(date.getTime()) ? `second ${time}` : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
