import type { ConfigDocument } from './schema.ts';

/** Secrets and passwords that OpenCR 1.x and its documents published: never used, whatever field they stand in. */
const PUBLISHED = new Set(['3084e343-71bc-4247-86e4-ea210af89c28', 'intrahealth', 'hapi', 'openhim-password']);

export const isPublishedSecret = (value: string | undefined): boolean => value !== undefined && PUBLISHED.has(value);

/** Each secret of a configuration, and the server that it would be sent to, if any. */
export const secretsOf = (document: ConfigDocument) =>
  [
    { field: 'auth.secret', secret: document.auth.secret, url: undefined },
    { field: 'mediator.api.password', secret: document.mediator.api?.password, url: document.mediator.api?.apiURL },
    { field: 'fhirServer.password', secret: document.fhirServer.password, url: document.fhirServer.baseURL },
    { field: 'elastic.password', secret: document.elastic.password, url: document.elastic.server },
  ] as const;
