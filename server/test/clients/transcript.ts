/** What real clients send, as they send it: their headers, their shapes, their order (standards.md §8, opencr-1x.md §1.10). */
import type { Answer, RegistryServer } from '../support/registry-server.ts';

/** The headers of a HAPI FHIR client (5.x to 8.x) that no encoding was set for. */
const HAPI_ACCEPT =
  'application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9, application/json+fhir;q=0.9';

export const hapi = {
  'user-agent': 'HAPI-FHIR/6.0.1 (FHIR Client; FHIR 4.0.1/R4; apache)',
  'accept-charset': 'utf-8',
  'accept-encoding': 'identity',
  accept: HAPI_ACCEPT,
};

/** The same of one that was told to speak JSON. */
export const hapiJson = {
  ...hapi,
  accept: 'application/fhir+json;q=1.0, application/json+fhir;q=0.9',
};

const BODY = { 'content-type': 'application/fhir+json; charset=UTF-8' };

export interface ClientOf {
  get(path: string): Promise<Answer>;
  post(path: string, body: object): Promise<Answer>;
  put(path: string, body: object): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

/** A client with headers of its own; paths are below the FHIR base. */
export const clientOf = ({ send }: RegistryServer, client: string, headers: Readonly<Record<string, string>>): ClientOf => ({
  get: (path) => send('GET', `/fhir/${path}`, { client, headers }),
  post: (path, body) => send('POST', `/fhir/${path}`, { client, body, headers: { ...BODY, ...headers } }),
  put: (path, body) => send('PUT', `/fhir/${path}`, { client, body, headers: { ...BODY, ...headers } }),
  delete: (path) => send('DELETE', `/fhir/${path}`, { client, headers }),
});

/** What HAPI's `MethodOutcome.getCreated()` is true for. */
export const isCreated = ({ status }: Answer): boolean => status === 201;

/** The logical id of a reference or a location as HAPI's `IdType` reads it: absolute or relative, with a version or without. */
export const idPartOf = (reference = ''): string =>
  /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(reference)?.[1] ?? '';
