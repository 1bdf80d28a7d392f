/**
 * The times that a token says, as people read them: in the time zone of who looks at it.
 *
 * Left out: whether it is valid then, which is the engine's to say.
 */

export interface TokenTime {
  readonly claim: "iat" | "nbf" | "exp";
  /** In seconds since 1970, as the claim has it. */
  readonly seconds: number;
  readonly text: string;
}

const CLAIMS = ["iat", "nbf", "exp"] as const;

/** In the order in which they happen; what is not a time of any calendar is left out. */
export function tokenTimes(claims: Readonly<Record<string, unknown>>, timeZone?: string): TokenTime[] {
  return CLAIMS.flatMap((claim) => {
    const seconds = claims[claim];
    const text = typeof seconds === "number" ? localTime(seconds, timeZone) : null;
    return typeof seconds === "number" && text !== null ? [{ claim, seconds, text }] : [];
  });
}

/** `Mar 1, 2026, 13:00:00 GMT+1`; null where a calendar has no such day. */
function localTime(seconds: number, timeZone: string | undefined): string | null {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return null;
  return new Intl.DateTimeFormat("en", {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "short",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(date);
}
