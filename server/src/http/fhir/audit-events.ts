import { setImmediate } from 'node:timers/promises';
import { type AuditSearch, parseAuditSearch } from '../../fhir/audit-search.ts';
import type { Bundle } from '../../fhir/r4.ts';
import { isRefusal, refuse } from '../../fhir/refusal.ts';
import type { Refusal } from '../../domain/errors.ts';
import { auditEventById, searchTrail, type TrailPage } from '../../registry/audit-search.ts';
import type { TrailPosition, TrailSources } from '../../registry/audit-trail.ts';
import { type Answer, type Exchange, queryOf } from '../exchange.ts';
import { failure } from '../failure.ts';
import { handling } from '../negotiation.ts';
import type { FhirDependencies } from './dependencies.ts';
import { idOf } from './read.ts';

const forbidden = (): Answer => failure(refuse('forbidden', 'The audit trail is for clients with the scope audit.'));

const mayRead = ({ principal }: Exchange): boolean => principal.scopes.includes('audit');

const trailOf = ({ reader, accessLog, auditSource }: FhirDependencies): TrailSources => ({
  reader,
  accessLog,
  source: auditSource,
});

const positionOf = (text: string | null): TrailPosition | null | Refusal => {
  if (text === null) return null;
  const [, sequence, access, skip = '0'] = /^(\d{1,16})-(\d{1,16})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (sequence === undefined) return refuse('invalid-request', '_page is taken from a link of an answer.');
  return { sequence: Number(sequence), access: Number(access), skip: Number(skip) };
};

const pageOf = ({ sequence, access, skip }: TrailPosition): string => `${sequence}-${access}-${skip}`;

function bundleOf(base: string, search: AuditSearch, { events, next }: TrailPage): Bundle {
  const urlOf = (page: string | null): string => {
    const query = new URLSearchParams();
    for (const [name, value] of search.used) query.append(name, value);
    if (page !== null) query.append('_page', page);
    return `${base}/AuditEvent?${query.toString()}`;
  };
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [{ relation: 'self', url: urlOf(search.page) }, ...(next ? [{ relation: 'next', url: urlOf(pageOf(next)) }] : [])],
    ...(events.length > 0 && {
      entry: events.map((event) => ({
        fullUrl: `${base}/AuditEvent/${event.id}`,
        resource: event,
        search: { mode: 'match' as const },
      })),
    }),
  };
}

/** `GET AuditEvent?…` (ITI-81) for clients with the scope `audit`, newest first. */
export async function auditEvents(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  if (!mayRead(exchange)) return forbidden();
  const strict = handling(exchange.request.headers.prefer) === 'strict';
  const search = parseAuditSearch(queryOf(exchange.request), { strict });
  if (isRefusal(search)) return failure(search);
  const from = positionOf(search.page);
  if (from !== null && isRefusal(from)) return failure(from);
  const page = await searchTrail(trailOf(dependencies), search, { from, turn: () => setImmediate() });
  return { status: 200, body: bundleOf(exchange.base, search, page), log: { event: 'audit-read', patients: [] } };
}

/** `GET AuditEvent/<id>`. */
export async function auditEvent(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  if (!mayRead(exchange)) return forbidden();
  const event = await auditEventById(trailOf(dependencies), idOf(exchange));
  if (!event) return failure(refuse('not-found', 'There is no such AuditEvent.'));
  return { status: 200, body: event, log: { event: 'audit-read', patients: [] } };
}
