/**
 * Secrets of Kubernetes: whatever is under `data` and `stringData`, but for the fields that
 * only say where to log in.
 *
 * A text over several lines that begins as JSON stays to be read by the rules about fields, so that
 * its registries stay.
 */

const KIND = /(?:^|[\s{,])\\?["']?kind\\?["']?\s{0,9}:\s{0,9}\\?["']?Secret\b/;
const HARMLESS = /^(?:(?:repo)?url|user(?:name)?|registry|server|email|host|type|project|name|namespace)$/i;

/** Each document of a stream for itself. */
export function withoutSecretData(text: string): string {
  if (!KIND.test(text)) return text;
  const documents = text.split(/^(?=---)/m);
  return documents.map((document) => (KIND.test(document) ? blocks(inline(document)) : document)).join("");
}

const INLINE = /(\b(?:data|stringData)\\?["']?\s{0,9}:\s{0,9}\{)([^{}]*)/g;

/** `data: {a: b}`, in JSON also over several lines. */
function inline(document: string): string {
  return document.replace(INLINE, (_, opens: string, fields: string) => {
    return opens + fields.replace(QUOTED, withoutValue).replace(UNQUOTED, withoutValue);
  });
}

const QUOTED = /(\\?["']?([\w.-]+)\\?["']?\s{0,9}:\s{0,9}\\?["'])([^"'\\\n]+)/g;
const UNQUOTED = /(\\?["']?([\w.-]+)\\?["']?[ \t]{0,9}:[ \t]{1,9})([^\s"'\\,…][^,\n]*)/g;

function withoutValue(field: string, before: string, name: string): string {
  return HARMLESS.test(name) ? field : `${before}…`;
}

const SECTION = /^([ \t]*)(?:- )?(?:data|stringData):[ \t]*$/;
const LINE = /^([ \t]*)(["']?([\w.-]+)["']?:[ \t]+)(\S.*)$/;

/** `data:` and a line for each field. */
function blocks(document: string): string {
  let section = -1;
  let isJson = false;
  let scalar = -1;
  const lines = document.split("\n").map((line) => {
    const depth = line.search(/\S/);
    if (depth < 0) return line;
    if (section >= 0 && depth <= section) section = -1;
    if (section < 0) {
      section = SECTION.exec(line)?.[1]?.length ?? -1;
      scalar = -1;
      return line;
    }
    if (scalar >= 0 && depth > scalar) {
      isJson ||= /^\s*\{/.test(line);
      return isJson ? line : `${line.slice(0, depth)}…`;
    }
    const [, , before = "", name = "", value = ""] = LINE.exec(line) ?? [];
    scalar = /^[|>]/.test(value) ? depth : -1;
    isJson = false;
    return before === "" || scalar >= 0 || HARMLESS.test(name) ? line : `${line.slice(0, depth)}${before}…`;
  });
  return lines.join("\n");
}
