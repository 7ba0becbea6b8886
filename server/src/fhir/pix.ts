import type { Refusal } from '../domain/errors.ts';
import type { Identifier } from '../domain/identity.ts';
import { isFields } from './fields.ts';
import type { Parameters } from './r4.ts';
import { isRefusal, refuse } from './refusal.ts';
import { identifierToken, type Params } from './tokens.ts';

/** ITI-83: which identifiers does the person with this one have elsewhere? */
export interface PixQuery {
  readonly source: Identifier;
  /** Domains asked for; empty: all. */
  readonly targets: readonly string[];
}

/** The three failures that PIXm words itself (ITI-83 §3.83.4.2.2). */
export const pixRefusals = {
  unknownIdentifier: refuse('not-found', 'sourceIdentifier Patient Identifier not found'),
  unknownAuthority: refuse('unknown-authority', 'sourceIdentifier Assigning Authority not found'),
  unknownTarget: refuse('unknown-target-authority', 'targetSystem not found'),
} as const satisfies Record<string, Refusal>;

/**
 * Reads `$ihe-pix` from query parameters. `targetsIn` makes domains of one targetSystem value: OpenMRS joins several by
 * commas, and only who knows the domains can tell (D2). Parameters that it does not know do no harm (PIX-83-20).
 */
export const readPix = (params: Params, targetsIn: (value: string) => readonly string[]): PixQuery | Refusal => {
  const given = [...params];
  const valuesOf = (name: string): readonly string[] => given.filter(([key]) => key === name).map(([, value]) => value);
  const [sourceIdentifier, ...more] = valuesOf('sourceIdentifier');
  if (sourceIdentifier === undefined) return refuse('invalid-request', "Missing search parameter 'sourceIdentifier'.");
  if (more.length > 0) return refuse('invalid-request', "The parameter 'sourceIdentifier' is given more than once.");
  const token = identifierToken(sourceIdentifier);
  if (!token?.system || token.value === null)
    return refuse('invalid-request', "Invalid value for parameter 'sourceIdentifier': expected system|value.");
  const targets = valuesOf('targetSystem').filter((value) => value !== '');
  return { source: { system: token.system, value: token.value }, targets: [...new Set(targets.flatMap(targetsIn))] };
};

/** The same from a Parameters body (R4 operations.html#executing): values may be strings, uris or an Identifier. */
export const readPixBody = (body: unknown, targetsIn: (value: string) => readonly string[]): PixQuery | Refusal => {
  const params = paramsOf(body);
  return isRefusal(params) ? params : readPix(params, targetsIn);
};

const paramsOf = (body: unknown): (readonly [string, string])[] | Refusal => {
  if (!isFields(body) || body['resourceType'] !== 'Parameters')
    return refuse('invalid-structure', 'Expected a Parameters resource.', 'resourceType');
  const list = body['parameter'] ?? [];
  if (!Array.isArray(list) || !list.every(isFields))
    return refuse('invalid-structure', 'Must be a list of objects.', 'Parameters.parameter');
  return list.flatMap((parameter) => {
    const value =
      parameter['valueString'] ?? parameter['valueUri'] ?? parameter['valueUrl'] ?? tokenOf(parameter['valueIdentifier']);
    return typeof parameter['name'] === 'string' && typeof value === 'string' ? [[parameter['name'], value] as const] : [];
  });
};

const tokenOf = (identifier: unknown): string | undefined =>
  isFields(identifier) && typeof identifier['system'] === 'string' && typeof identifier['value'] === 'string'
    ? [identifier['system'], identifier['value']].map((part) => part.replaceAll(/[\\|]/g, '\\$&')).join('|')
    : undefined;

/** One record in the answer; `id` null leaves its `targetId` out (PIX-83-02). `assigner`: the authority's name, '' when unknown. */
export interface PixRecord {
  readonly id: string | null;
  readonly identifiers: readonly (Identifier & { readonly assigner: string })[];
}

/** The answer: each record's identifiers, then its id; no parameter at all when there is nothing to tell (PIX-83-08). */
export const pixAnswer = (records: readonly PixRecord[]): Parameters => {
  const parameter = records.flatMap(({ id, identifiers }) => [
    ...identifiers.map(({ system, value, assigner }) => ({
      name: 'targetIdentifier',
      valueIdentifier: { system, value, ...(assigner !== '' && { assigner: { display: assigner } }) },
    })),
    ...(id === null ? [] : [{ name: 'targetId', valueReference: { reference: `Patient/${id}` } }]),
  ]);
  return { resourceType: 'Parameters', ...(parameter.length > 0 && { parameter }) };
};
