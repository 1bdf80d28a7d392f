/** The alphabet of tokens, RFC 4648 §5, read as far as it goes. */

export interface Base64Problem {
  readonly message: string;
  readonly hint: string;
  readonly position: number;
}

export interface Base64Text {
  /** What could be read. */
  readonly text: string;
  readonly problem: Base64Problem | null;
}

/** `name` is what a person calls the part. */
export function base64Url(name: string, part: string): Base64Text {
  const end = part.search(/[^\w-]/);
  const good = end < 0 ? part : part.slice(0, end);
  // Four digits are three bytes; a single digit at the end is not even one.
  const whole = good.length % 4 === 1 ? good.slice(0, -1) : good;
  const bytes = Uint8Array.from(atob(whole.replaceAll("-", "+").replaceAll("_", "/")), (byte) => byte.charCodeAt(0));
  return { text: new TextDecoder().decode(bytes), problem: problemOf(name, part, end, good.length) };
}

function problemOf(name: string, part: string, end: number, length: number): Base64Problem | null {
  if (end >= 0) {
    const message = `\`${part[end] ?? ""}\` in the ${name} isn't allowed in base64url`;
    return { message, hint: "use letters, digits, `-` and `_`, without padding", position: end };
  }
  if (length % 4 !== 1) return null;
  return {
    message: `the ${name} ${name === "claims" ? "are" : "is"} cut off`,
    hint: "paste the whole token",
    position: length,
  };
}

/** How many digits some bytes need. */
export function base64Length(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}
