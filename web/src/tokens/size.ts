/**
 * How large a token is, and whether it fits where it has to travel: in one header of every request.
 */

/** What nginx and many proxies take in one line of a header, in bytes. */
export const HEADER_LIMIT = 8192;
/** From here on the limit is near. */
const NEAR = HEADER_LIMIT * 0.75;

const LINE = "Authorization: Bearer ".length + "\r\n".length;

export interface TokenSize {
  readonly bytes: number;
  /** The whole line of the header. */
  readonly line: number;
  readonly warning: string | null;
}

export function tokenSize(bytes: number): TokenSize {
  const line = bytes + LINE;
  return { bytes, line, warning: warningFor(line) };
}

function warningFor(line: number): string | null {
  const kibibytes = (line / 1024).toFixed(1);
  if (line > HEADER_LIMIT)
    return `the Authorization header would be ${kibibytes} KiB; many proxies allow only 8 KiB. Request fewer scopes`;
  return line > NEAR ? `the Authorization header would be ${kibibytes} KiB; many proxies allow only 8 KiB` : null;
}
