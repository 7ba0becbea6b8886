import type { OwnName, RecordIdentifier, RecordKey } from '../domain/identity.ts';
import type { ErrorCode, Refusal } from '../domain/errors.ts';
import { refuse } from '../fhir/refusal.ts';
import type { RegistryView } from './ports.ts';

/** How the request addressed the record (design §7): nothing (POST), an id, or `?identifier=system|value`. */
export type Target =
  | { readonly kind: 'none' }
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'identifier'; readonly system: string; readonly value: string };

export interface Addressed {
  readonly client: string;
  readonly target: Target;
  /** `Patient.id` of the body: not a target on POST, but kept as an alias while nobody uses it. */
  readonly bodyId: string | null;
  readonly identifiers: readonly RecordIdentifier[];
  /** Systems that this client may name records in, for the words of a refusal. */
  readonly ownSystems: readonly string[];
  /** By system of an identifier: other names of its domain, under which it may have been stated before. */
  readonly otherNames?: Readonly<Record<string, readonly string[]>>;
}

export type Which =
  /** `id` null: the registry gives one. `alias`: another id under which this client may address the record. */
  | { readonly kind: 'create'; readonly id: string | null; readonly alias: string | null }
  | { readonly kind: 'update'; readonly record: RecordKey; readonly alias: string | null }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const refused = (code: ErrorCode, diagnostics: string, expression?: string): Which => ({
  kind: 'refused',
  refusal: refuse(code, diagnostics, expression),
});

/** The record that the body's own source identifiers name: none, one, or several. */
async function namedBy(view: RegistryView, { identifiers, otherNames = {} }: Addressed): Promise<readonly RecordKey[]> {
  const found = new Set<RecordKey>();
  for (const { names, scope, system, value } of identifiers) {
    if (!names) continue;
    // A system may be called __proto__, which every object has.
    const others = Object.hasOwn(otherNames, system) ? otherNames[system] : undefined;
    const record = await firstNamed(view, { scope, systems: [system, ...(others ?? [])], value });
    if (record !== undefined) found.add(record);
  }
  return [...found];
}

/** Of two records that got the identifier under two names, before these were one domain, the first name's. */
export async function firstNamed(view: RegistryView, { scope, systems, value }: OwnName): Promise<RecordKey | undefined> {
  for (const system of systems) {
    const record = await view.named(scope, system, value);
    if (record !== undefined) return record;
  }
  return undefined;
}

/** An id that a POST may leave as an alias: one that names nothing yet. */
async function unused(view: RegistryView, id: string | null, client: string): Promise<string | null> {
  return id !== null && (await view.resolveId(id, client)) === undefined ? id : null;
}

async function byId(view: RegistryView, asked: Addressed, id: string, named: RecordKey | undefined): Promise<Which> {
  const target = await view.resolveId(id, asked.client);
  if (target?.kind === 'golden') {
    return refused(
      'forbidden',
      `Patient/${id} is a golden record: the registry alone writes it. Address your own record instead.`,
    );
  }
  if (target === undefined) {
    return named === undefined ? { kind: 'create', id, alias: null } : { kind: 'update', record: named, alias: id };
  }
  const record = await view.record(target.key);
  if (record?.source !== asked.client) {
    return named === undefined ? { kind: 'create', id: null, alias: id } : { kind: 'update', record: named, alias: id };
  }
  if (record.deleted) return { kind: 'update', record: named ?? target.key, alias: named === undefined ? null : id };
  if (named !== undefined && named !== target.key) {
    return refused('conflict', `The body's identifiers name another record than Patient/${id}.`, 'Patient.identifier');
  }
  return { kind: 'update', record: target.key, alias: null };
}

async function byIdentifier(
  view: RegistryView,
  asked: Addressed,
  target: Target & { kind: 'identifier' },
  record: RecordKey | undefined,
): Promise<Which> {
  const inBody = asked.identifiers.some((i) => i.names && i.system === target.system && i.value === target.value);
  if (!inBody) {
    return refused(
      'invalid-request',
      'The identifier in the URL must be one of the body, in a system that names your own records.',
      'Patient.identifier',
    );
  }
  const body = asked.bodyId === null ? undefined : await view.resolveId(asked.bodyId, asked.client);
  if (record === undefined) return { kind: 'create', id: body === undefined ? asked.bodyId : null, alias: null };
  if (asked.bodyId !== null && (body?.kind !== 'record' || body.key !== record)) {
    return refused('invalid-request', "The body's id is not that of the record that the identifier names.", 'Patient.id');
  }
  return { kind: 'update', record, alias: null };
}

/**
 * Which record a submission means: the table of design §7, one test a row. The identifier beats the id; an alias counts
 * as the id of its record.
 */
export async function whichRecord(view: RegistryView, asked: Addressed): Promise<Which> {
  if (!asked.identifiers.some((identifier) => identifier.names)) {
    const own = asked.ownSystems.length > 0 ? asked.ownSystems.join(', ') : 'none yet: ask the registry to register one';
    return refused(
      'business-rule',
      `The Patient has no identifier that names a record of ${asked.client}. Systems that do: ${own}.`,
      'Patient.identifier',
    );
  }
  const named = await namedBy(view, asked);
  if (named.length > 1) {
    return refused(
      'conflict',
      'The identifiers name two records of yours. Submit each record under its own.',
      'Patient.identifier',
    );
  }
  switch (asked.target.kind) {
    case 'id':
      return byId(view, asked, asked.target.id, named[0]);
    case 'identifier':
      return byIdentifier(view, asked, asked.target, named[0]);
    case 'none': {
      const alias = await unused(view, asked.bodyId, asked.client);
      return named[0] === undefined ? { kind: 'create', id: null, alias } : { kind: 'update', record: named[0], alias };
    }
  }
}
