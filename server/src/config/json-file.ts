import { existsSync, readFileSync } from 'node:fs';
import { parseBody } from '../fhir/parse-json.ts';
import { isRefusal } from '../fhir/refusal.ts';
import { withoutComments } from '../rules/json.ts';

export type JsonFile =
  { readonly kind: 'read'; readonly value: unknown } | { readonly kind: 'wrong'; readonly complaint: string };

const wrong = (complaint: string): JsonFile => ({ kind: 'wrong', complaint });

/** Where parsing stopped. The parser's own message quotes the text around it, which may hold a password. */
function place(text: string, error: unknown): string {
  const offset = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  const before = text.slice(0, offset === undefined ? text.length : Number(offset));
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  const comment = /^\s*(\/[/*]|#)/.test(text.slice(before.length));
  const hint = comment ? '; comments are not allowed in JSON, use a "__comments" member' : '';
  return `line ${line}, column ${column}${hint}`;
}

/** Reads a JSON file; `name` is what the complaint calls it. */
export function readJsonFile(path: string, name: string): JsonFile {
  if (!existsSync(path)) return wrong(`${name} does not exist`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    return wrong(`${name} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'})`);
  }
  try {
    JSON.parse(text);
  } catch (error) {
    return wrong(`${name} is not valid JSON at ${place(text, error)}`);
  }
  // What JSON.parse lets pass in silence: of a key given twice it takes the last.
  const body = parseBody(text);
  if (isRefusal(body)) return wrong(`${name}: ${body.issues.map(({ diagnostics }) => diagnostics).join(' ')}`);
  return { kind: 'read', value: withoutComments(body.value) };
}
