/** What a probe is made of: requests, and what is expected of their answers. */
import { isDeepStrictEqual } from 'node:util';
import { isFields } from '../../fhir/fields.ts';
import type { Reply, Site } from './site.ts';

/** An answer that is not as the row asks. */
export class Unlike extends Error {}

/** The row cannot be tried under this configuration. */
export class Untried extends Error {}

const short = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
};

/** Throws `Unlike` where what came is not what is expected. */
export function equal(reply: Reply | string, what: string, came: unknown, expected: unknown): void {
  if (isDeepStrictEqual(came, expected)) return;
  const asked = typeof reply === 'string' ? reply : reply.asked;
  throw new Unlike(`${asked}: expected ${what} ${short(expected)}, got ${short(came)}`);
}

export function holds(reply: Reply | string, what: string, truth: boolean): void {
  equal(reply, what, truth, true);
}

export const status = (reply: Reply, ...expected: readonly number[]): void => {
  if (expected.includes(reply.status)) return;
  throw new Unlike(`${reply.asked}: expected status ${expected.join(' or ')}, got ${reply.status} ${short(reply.body)}`);
};

/** A member at a path: `issue.0.code`. */
export const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inside, step) => {
    if (Array.isArray(inside)) return inside[Number(step)] as unknown;
    return isFields(inside) ? inside[step] : undefined;
  }, value);

export const list = (value: unknown, path: string): readonly unknown[] => {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
};

export const textAt = (value: unknown, path: string): string => {
  const found = at(value, path);
  return typeof found === 'string' ? found : '';
};

/** A refusal says why: its status, and an OperationOutcome with an error of this type. */
export function refused(reply: Reply, expected: number, code?: string): void {
  status(reply, expected);
  equal(reply, 'resourceType', at(reply.body, 'resourceType'), 'OperationOutcome');
  if (code !== undefined) equal(reply, 'issue.code', at(reply.body, 'issue.0.code'), code);
}

/** The id that a Location names. */
export const madeId = ({ headers }: Reply): string => /^\w+\/([^/]+)/.exec(headers['location'] ?? '')?.[1] ?? '';

/** Ids of a searchset's entries, in one mode of search or in all. */
export const found = ({ body }: Reply, mode?: string): readonly string[] =>
  list(body, 'entry')
    .filter((entry) => mode === undefined || at(entry, 'search.mode') === mode)
    .map((entry) => textAt(entry, 'resource.id'));

/** Carries out one check, which stands for its rows; a part of a profile goes on after one that failed. */
export type Check = (rows: string, about: () => Promise<void>) => Promise<void>;

/** A profile that is tried: its rows begin with one of these. */
export interface Profile {
  readonly name: string;
  readonly rows: readonly string[];
  /** Where it asks for strict mode, whatever the installation's. */
  readonly mode?: 'strict';
  readonly run: (site: Site, check: Check) => Promise<void>;
}

const LETTERS = 'bcdfghjklmnprstvz';
let people = 0;

/** Somebody whom no other resembles. */
export function somebody() {
  people += 1;
  const word = (step: number): string =>
    [...Array(7).keys()].map((place) => LETTERS.charAt((people * step + place * (step + people)) % LETTERS.length)).join('');
  return {
    name: [{ use: 'official', family: `Q${word(3)}${people}`, given: [`X${word(5)}${people}`] }],
    gender: people % 2 === 0 ? 'female' : 'male',
    birthDate: new Date(Date.UTC(1950, 0, 1) + people * 41 * 86_400_000).toISOString().slice(0, 10),
    telecom: [{ system: 'phone', value: `0999 ${100_000 + people * 7}`, use: 'mobile' }],
    address: [{ city: `Y${word(7)}`, country: 'ZZ' }],
  };
}

/** A Patient under an identifier of a system. */
export const patient = (system: string, value: string, more: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system, value }],
  active: true,
  ...somebody(),
  ...more,
});
