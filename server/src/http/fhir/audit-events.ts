import { refuse } from '../../fhir/refusal.ts';
import { auditTrail, TRAIL_START, type TrailPosition } from '../../registry/audit-trail.ts';
import { type Answer, type Exchange, queryOf } from '../exchange.ts';
import { failure } from '../failure.ts';
import type { FhirDependencies } from './dependencies.ts';

const PAGE = 50;
const MAX_PAGE = 500;

const positionOf = (text: string | null): TrailPosition | undefined => {
  if (text === null) return TRAIL_START;
  const [, sequence, access] = /^(\d{1,16})-(\d{1,16})$/.exec(text) ?? [];
  return sequence === undefined ? undefined : { sequence: Number(sequence), access: Number(access) };
};

/** `GET AuditEvent` for clients with the scope `audit`: the whole trail, newest first. `_count` counts rows of the trail. */
export async function auditEvents(dependencies: FhirDependencies, exchange: Exchange): Promise<Answer> {
  if (!exchange.principal.scopes.includes('audit')) {
    return failure(refuse('forbidden', 'The audit trail is for clients with the scope audit.'));
  }
  const query = queryOf(exchange.request);
  const from = positionOf(query.get('_page'));
  const count = query.get('_count') ?? String(PAGE);
  if (!from || !/^[1-9]\d{0,8}$/.test(count))
    return failure(refuse('invalid-request', '_count is a number from 1, _page is taken from a link.'));
  const limit = Math.min(Number(count), MAX_PAGE);
  const page = await auditTrail(
    { reader: dependencies.reader, accessLog: dependencies.accessLog, source: dependencies.auditSource },
    from,
    limit,
  );
  const url = `${exchange.base}/AuditEvent?_count=${limit}`;
  const { next } = page;
  return {
    status: 200,
    body: {
      resourceType: 'Bundle',
      type: 'searchset',
      link: [
        { relation: 'self', url: from === TRAIL_START ? url : `${url}&_page=${query.get('_page') ?? ''}` },
        ...(next ? [{ relation: 'next', url: `${url}&_page=${next.sequence}-${next.access}` }] : []),
      ],
      ...(page.events.length > 0 && {
        entry: page.events.map((event) => ({
          fullUrl: `${exchange.base}/AuditEvent/${event.id}`,
          resource: event,
          search: { mode: 'match' },
        })),
      }),
    },
    log: { event: 'audit-read', patients: [] },
  };
}
