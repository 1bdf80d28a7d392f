/**
 * Base64 of a secret: of a name and a password as HTTP sends them, and of a document with a
 * password in it, wherever it is.
 *
 * Left out: what is encoded twice, compressed, or encrypted.
 */

/**
 * Lines as `base64` breaks them, or one word. Shorter ones hold no name and no password; longer
 * ones are not read, or else a word of ten megabytes would take more memory than an expression has.
 */
const RUN =
  /(?<![\w+/%-])(?:[\w+/-]{60,1000}[ \t]{0,9}\n[ \t]{0,40}(?=[\w+/-]{1,1000}={0,2}[ \t"']{0,9}(?:\n|$))){0,20000}[\w+/-]{16,200000}={0,2}(?![\w+/=-])/g;

/** A name and a password, with a colon between them. */
const PAIR = /^[\w.@+-]{1,200}:[\x21-\x7e]{4,}$/;

/** Takes away what holds a secret once it is decoded. */
export function withoutEncoded(text: string, isSecret: (decoded: string) => boolean): string {
  return text.replace(RUN, (run) => {
    const decoded = decode(run);
    return decoded !== null && (PAIR.test(decoded) || isSecret(decoded)) ? "…" : run;
  });
}

/** The text that is encoded; null where it is not encoded. */
function decode(run: string): string | null {
  const digits = run.replace(/[\s=]/g, "").replaceAll("-", "+").replaceAll("_", "/");
  if (digits.length % 4 === 1) return null;
  const decoded = atob(digits);
  return /[^\t\n\r\x20-\x7e\x80-\xff]/.test(decoded) || /^[^{[\w"'\s]/.test(decoded) ? null : decoded;
}
