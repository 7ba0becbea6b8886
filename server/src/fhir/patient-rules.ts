/**
 * Rules on a Patient, or a resource kept beside it, that its JSON schema cannot say: the invariants of R4 (ext-1, org-1, pat-1, per-1,
 * txt-1, one type for each choice), dates that exist, and this registry's own limits. One walk over the resource.
 */
import type { Issue } from '../domain/errors.ts';
import { type Fields, isFields } from './fields.ts';
import type { PatientLimits } from './limits.ts';
import { error } from './refusal.ts';

/** Diagnostics and expression of something odd: a warning or an error, as the mode says. */
export type Remark = readonly [diagnostics: string, expression: string];

interface Findings {
  readonly limits: PatientLimits;
  readonly broken: Issue[];
  readonly odd: Remark[];
}

export const rulesOf = (
  type: string,
  resource: object,
  limits: PatientLimits,
): { readonly broken: readonly Issue[]; readonly odd: readonly Remark[] } => {
  const found: Findings = { limits, broken: [], odd: [] };
  const fields: Fields = { ...resource };
  checkObject(found, fields, type);
  if (type === 'Patient') checkOneOf(found, fields, { path: type, choices: [/^deceased[A-Z]/, /^multipleBirth[A-Z]/] });
  if (type === 'Organization') checkOrganization(found, fields);
  return found;
};

const checkObject = (found: Findings, object: Fields, path: string): void => {
  if (Object.keys(object).length === 0) found.odd.push(['An object without content.', path]);
  for (const [key, value] of Object.entries(object))
    checkMember(found, { object, key, value, path: `${path}.${key.replace(/^_/, '')}` });
  if (typeof object['start'] === 'string' && typeof object['end'] === 'string' && isAfter(object['start'], object['end']))
    found.broken.push(error('The period ends before it starts.', path));
};

interface Member {
  readonly object: Fields;
  readonly key: string;
  readonly value: unknown;
  readonly path: string;
}

/** Lists whose entries have a rule of their own. */
const entryRules: Readonly<Record<string, (found: Findings, entry: Fields, path: string) => void>> = {
  extension: (found, entry, path) => checkExtension(found, entry, path),
  identifier: (found, entry, path) => checkIdentifier(found, entry, path),
  contact: (found, entry, path) => checkContact(found, entry, path),
};

const checkMember = (found: Findings, member: Member): void => {
  const { key, value, path } = member;
  // Contained resources are not kept (sanitise.ts), so what is in them is not looked at.
  if (key === 'contained') return;
  if (key === 'modifierExtension' || key === 'implicitRules') checkModifier(found, member);
  else if (Array.isArray(value)) checkList(found, member, value);
  else if (isFields(value)) checkObject(found, value, path);
  else if (typeof value === 'string') checkText(found, member, value);
};

const checkList = (found: Findings, { object, key, path }: Member, list: readonly unknown[]): void => {
  if (list.length === 0) found.odd.push(['A list without entries.', path]);
  list.forEach((entry: unknown, index) => {
    const at = `${path}[${index}]`;
    if (entry === null) checkNull(found, sibling(object, key)[index], at);
    else if (typeof entry === 'string') checkText(found, { object, key, value: entry, path: at }, entry);
    else if (isFields(entry)) {
      checkObject(found, entry, at);
      entryRules[key]?.(found, entry, at);
    }
  });
};

/** null in a list of primitives holds the place of an extension, and the other way round (json.html#primitive). */
const sibling = (object: Fields, key: string): readonly unknown[] => {
  const other = object[key.startsWith('_') ? key.slice(1) : `_${key}`];
  return Array.isArray(other) ? other : [];
};

const checkNull = (found: Findings, counterpart: unknown, path: string): void => {
  if (counterpart === undefined || counterpart === null) found.broken.push(error('Neither a value nor an extension.', path));
};

const checkModifier = (found: Findings, { key, value, path }: Member): void => {
  if (Array.isArray(value) && value.length === 0) found.odd.push(['A list without entries.', path]);
  else found.broken.push(error(`This registry knows no ${key}, so it cannot tell what the data mean.`, path));
};

const dateKeys = new Set([
  'birthDate',
  'deceasedDateTime',
  'start',
  'end',
  'valueDate',
  'valueDateTime',
  'valueInstant',
  'lastUpdated',
  'creation',
]);

const checkText = (found: Findings, { key, path }: Member, text: string): void => {
  if (key === 'div') checkNarrative(found, path, text);
  else if (text.length > found.limits.maxString)
    found.broken.push(error(`Longer than the ${found.limits.maxString} characters that this registry takes.`, path));
  else if (dateKeys.has(key) && !isCalendarDate(text)) found.broken.push(error('There is no such day in the calendar.', path));
  else if (key === 'reference' && text.startsWith('#'))
    found.broken.push(error('Refers to a contained resource; this registry does not keep those.', path));
};

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
};

/** The form is known to be right; only a day may still be one too many. */
const isCalendarDate = (text: string): boolean => {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})/.exec(text) ?? [];
  return day === undefined || Number(day) <= daysIn(Number(year), Number(month));
};

/** per-1, on the digits that both have; two times are compared as instants. */
const isAfter = (start: string, end: string): boolean => {
  if (start.includes('T') && end.includes('T')) return Date.parse(start) > Date.parse(end);
  const length = Math.min(start.length, end.length, 'YYYY-MM-DD'.length);
  return start.slice(0, length) > end.slice(0, length);
};

/** txt-1: no active content. Conservative: it need not be able to read HTML to refuse what looks like a script. */
const activeContent =
  /<[\s/]*(?:script|style|iframe|object|embed|form|input|base|link|meta|svg|math)\b|<[^<>]*[\s/"']on\w+\s*=|javascript:/i;

const checkNarrative = (found: Findings, path: string, div: string): void => {
  if (div.length > found.limits.maxNarrative)
    found.broken.push(
      error(`A narrative longer than the ${found.limits.maxNarrative} characters that this registry takes.`, path),
    );
  else if (!/^\s*<div[\s>]/.test(div) || activeContent.test(div))
    found.broken.push(error('A narrative is one <div> of plain formatting, without scripts, styles or forms.', path));
};

const isAbsolute = (url: unknown): boolean => typeof url === 'string' && /^[A-Za-z][A-Za-z0-9+.-]*:\S/.test(url);

/** ext-1, and an absolute url; parts of a complex extension have plain names (R4 extensibility.html). */
const checkExtension = (found: Findings, extension: Fields, path: string): void => {
  const values = Object.keys(extension).filter((key) => /^_?value[A-Z]/.test(key));
  const names = new Set(values.map((key) => key.replace(/^_/, '')));
  if ((extension['extension'] !== undefined) === names.size > 0)
    found.broken.push(error('An extension has either a value or extensions of its own.', path));
  else if (names.size > 1) found.broken.push(error('An extension has one value.', path));
  const isPart = /\.extension\[\d+\]\.extension\[\d+\]$/.test(path);
  if (!isPart && !isAbsolute(extension['url'])) found.odd.push(['The url of an extension is absolute.', `${path}.url`]);
};

const checkIdentifier = (found: Findings, { system, value }: Fields, path: string): void => {
  if (typeof value === 'string' && value.trim() === '')
    found.broken.push(error('An identifier of blanks only.', `${path}.value`));
  if (value === undefined) found.odd.push(['An identifier without a value.', path]);
  else if (system === undefined) found.odd.push(['An identifier without a system.', path]);
};

/** pat-1 */
const checkContact = (found: Findings, contact: Fields, path: string): void => {
  if (path.startsWith('Patient.') && !['name', 'telecom', 'address', 'organization'].some((key) => key in contact))
    found.broken.push(error('A contact has a name, a telecom, an address or an organization.', path));
};

/** org-1 */
const checkOrganization = (found: Findings, { name, identifier }: Fields): void => {
  if (name === undefined && identifier === undefined)
    found.broken.push(error('An Organization has a name or an identifier.', 'Organization'));
};

/** An element with a choice of types has one of them (R4 formats.html#choice). */
const checkOneOf = (
  found: Findings,
  object: Fields,
  { path, choices }: { readonly path: string; readonly choices: readonly RegExp[] },
): void => {
  for (const choice of choices) {
    const [first, ...more] = Object.keys(object).filter((key) => choice.test(key));
    if (first !== undefined && more.length > 0)
      found.broken.push(error(`Given besides ${first}; only one of them may be.`, `${path}.${more[0]}`));
  }
};
