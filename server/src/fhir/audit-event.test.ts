import { describe, expect, it } from 'vitest';
import { emptyChange } from '../domain/change-set.ts';
import type { Proof } from '../domain/principals.ts';
import { type AccessRow, accessEvents, changeEvents } from './audit-event.ts';
import type { AuditEvent, AuditEventAgent } from './r4.ts';
import { auditSource, committed, row } from './sample-audit.ts';

const first = (events: readonly AuditEvent[]): AuditEvent => {
  const [event] = events;
  if (!event) throw new Error('no event');
  return event;
};
const access = (part: Partial<AccessRow>): readonly AuditEvent[] => accessEvents({ ...row, ...part }, auditSource);
const agentTypes = ({ agent }: AuditEvent) => agent.map(({ type }) => type.coding?.[0]?.code);
const subtypes = ({ subtype }: AuditEvent) => subtype?.map(({ code }) => code);
const entityOf = ({ entity }: AuditEvent, code: string) => entity?.find(({ role, type }) => (role ?? type).code === code);

describe('a change is told as one BALP event for each Patient written', () => {
  const events = changeEvents(committed, auditSource);

  it('AUD-01, AUD-03: created at version 1, updated later; the golden record too', () => {
    expect(events.map((event) => [event.id, event.action, subtypes(event)?.[0], entityOf(event, '1')?.what?.reference])).toEqual([
      ['change-17-1', 'C', 'create', 'Patient/S1'],
      ['change-17-2', 'U', 'update', 'Patient/S2'],
      ['change-17-3', 'U', 'update', 'Patient/G1'],
    ]);
    expect(entityOf(first(events), '4')?.what?.reference).toBe('Patient/S1/_history/1');
  });

  it('AUD-01: the data went from the client (Source) to this server (Destination)', () => {
    expect(events.map(agentTypes)).toEqual(Array.from({ length: 3 }, () => ['110153', '110152']));
  });

  it('who: the submitting client by its name, from its address; the request by its id', () => {
    const event = first(events);
    expect(event.agent[0]).toMatchObject({
      who: { identifier: { system: 'http://example.org/cr/clientid', value: 'openmrs' } },
      requestor: true,
      network: { address: '192.0.2.7', type: '2' },
    });
    expect(entityOf(event, 'XrequestId')?.what?.identifier?.value).toBe('req-1');
    expect(event).toMatchObject({ recorded: '2026-01-01T00:00:00.000Z', outcome: '0', type: { code: 'rest' } });
  });

  it('AUD-01: who came with a token by what its issuer calls it, and the token by its id; who came with a password likewise', () => {
    const proof = { way: 'token', issuer: 'https://id.example.org', client: 'openmrs', jti: 'a/1' } as const;
    const change = { ...committed.change, audit: { ...committed.change.audit, proof } };
    const [client, server] = first(changeEvents({ ...committed, change }, auditSource)).agent;
    expect(client).toMatchObject({
      who: { identifier: { system: 'https://id.example.org', value: 'openmrs' }, display: 'openmrs' },
      policy: ['urn:ietf:params:oauth:jti:a%2F1'],
    });
    expect(server?.policy).toBeUndefined();
    const byPassword = { ...change, audit: { ...change.audit, proof: { way: 'password' } as const } };
    expect(first(changeEvents({ ...committed, change: byPassword }, auditSource)).agent[0]).toMatchObject({
      who: { identifier: { system: 'http://example.org/cr/clientid', value: 'openmrs' } },
      policy: ['urn:ietf:rfc:7617'],
    });
  });

  it('AUD-01: for whom a proxy called as the client, and the proxy as another agent, by what it showed', () => {
    const shown = { way: 'token', issuer: 'https://id.example.org', client: 'him', jti: 'a' } as const;
    const told = (proof: Proof): readonly AuditEventAgent[] =>
      first(
        changeEvents({ ...committed, change: { ...committed.change, audit: { ...committed.change.audit, proof } } }, auditSource),
      ).agent;
    const [client, server, proxy, ...more] = told({ way: 'proxy', proxy: 'openhim' });
    expect(more).toEqual([]);
    expect(client).toMatchObject({ who: { display: 'openmrs' }, requestor: true, type: { coding: [{ code: '110153' }] } });
    expect(client?.policy).toBeUndefined();
    expect(server?.type.coding?.[0]?.code).toBe('110152');
    expect(proxy).toEqual({
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleClass', code: 'AGNT', display: 'agent' }] },
      who: { identifier: { system: 'http://example.org/cr/clientid', value: 'openhim' }, display: 'openhim' },
      requestor: false,
      network: { address: '192.0.2.7', type: '2' },
    });
    expect(told({ way: 'proxy', proxy: 'openhim', shown })[2]).toMatchObject({
      who: { identifier: { system: 'https://id.example.org', value: 'him' } },
      policy: ['urn:ietf:params:oauth:jti:a'],
    });
  });

  it('AUD-14: the observer is the server agent', () => {
    for (const { agent, source } of events) expect(source.observer).toEqual(agent[1]?.who);
  });

  it('a change of clients is a security event, made on this machine', () => {
    const audit = { ...committed.change.audit, action: 'administer' as const, agent: 'root', address: '' };
    const event = first(changeEvents({ sequence: 18, change: emptyChange('2026-01-01T00:00:00.000Z', audit) }, auditSource));
    expect([event.type.code, subtypes(event)]).toEqual(['110113', ['110137']]);
    expect(event.agent[0]?.network).toEqual({ address: 'localhost', type: '1' });
  });
});

describe('AUD-11: the identity feed, a conditional PUT or DELETE,', () => {
  const feed = { ...committed.change, audit: { ...committed.change.audit, what: 'PUT Patient?identifier' } };

  it('names the fed record by its identifier; whatever else the change wrote is told as itself', () => {
    const events = changeEvents({ sequence: 17, change: feed }, auditSource);
    expect(events.map(subtypes)).toEqual([['create', 'ITI-104'], ['update'], ['update']]);
    expect(events.map((event) => entityOf(event, '1')?.what)).toEqual([
      { identifier: { system: 's', value: 'v' } },
      { reference: 'Patient/S2' },
      { reference: 'Patient/G1' },
    ]);
    expect(entityOf(first(events), '4')?.what?.reference).toBe('Patient/S1/_history/1');
  });

  it('sent again unchanged: an update of the same', () => {
    const identity = { system: 's', value: 'v', client: 'c' };
    const change = { ...feed, records: [], goldens: [] };
    const told = first(changeEvents({ sequence: 18, change }, auditSource, new Map([[1, { id: 'S1', identity }]])));
    expect([subtypes(told), entityOf(told, '1')?.what]).toEqual([
      ['update', 'ITI-104'],
      { identifier: { system: 's', value: 'v' } },
    ]);
  });

  it('of an identifier that was erased: by the reference', () => {
    const records = feed.records.map((one) => ({
      ...one,
      record: { ...one.record, identity: { system: '', value: '', client: '' } },
    }));
    const told = first(changeEvents({ sequence: 17, change: { ...feed, records } }, auditSource));
    expect(entityOf(told, '1')?.what).toEqual({ reference: 'Patient/S1' });
  });
});

describe('AUD-12: a search names the patient that it asks for', () => {
  it.each([
    ['_id=S9', { reference: 'Patient/S9' }],
    ['_id=Patient/S9', { reference: 'Patient/S9' }],
    ['identifier=urn:s|v', { identifier: { system: 'urn:s', value: 'v' } }],
    ['_id=S8,S9', undefined],
    ['_id=S8&_id=S9', undefined],
    ['identifier=urn:s|v,urn:s|w', undefined],
    ['identifier=v', undefined],
    ['family=okello', undefined],
  ])('when it is one: %s', (query, what) => {
    const told = first(access({ event: 'search', query: `GET /fhir/Patient?${query}`, patients: [] }));
    expect([subtypes(told), entityOf(told, '1')?.what]).toEqual([['search', 'search-type', 'ITI-78'], what]);
  });
});

it('AUD-13: $match holds the body that was sent', () => {
  const told = first(access({ event: 'match', query: 'POST /fhir/Patient/$match\n{"resourceType":"Parameters"}', patients: [] }));
  expect(subtypes(told)).toEqual(['search', 'ITI-119']);
  expect(Buffer.from(entityOf(told, '24')?.query ?? '', 'base64').toString()).toBe('{"resourceType":"Parameters"}');
});

describe('a refusal is told', () => {
  it.each(['token-refused', 'password-refused', 'client-refused'])(
    'TLS-05: %s is a Security Alert, with the client whose password was tried',
    (code) => {
      const proof = { way: 'password', claimed: 'openmrs' } as const;
      const told = first(access({ event: 'refusal', code, agent: '', proof, status: 401, patients: [] }));
      expect([told.type.code, subtypes(told), told.outcome]).toEqual(['110113', ['110126'], '4']);
      expect(told.agent[0]).toMatchObject({ who: { display: 'unauthenticated' }, altId: 'openmrs' });
    },
  );
});

describe('a query or read is told', () => {
  it.each([
    ['read', 'read'],
    ['vread', 'vread'],
    ['history', 'history-instance'],
  ])('AUD-02: %s: the data went from this server to the client', (event, subtype) => {
    const told = first(access({ event }));
    expect([told.action, subtypes(told), agentTypes(told)]).toEqual(['R', [subtype], ['110152', '110153']]);
    expect(entityOf(told, '4')?.what?.reference).toBe('Patient/S1');
    expect(entityOf(told, '24')).toBeUndefined();
  });

  it('AUD-05: search: with the raw query in base64, one event for each Patient found, never how many', () => {
    const query = 'GET /fhir/Patient?identifier=urn:s|ü';
    const events = access({ event: 'search', query, patients: ['S1', 'S2', 'S3'] });
    expect(events.map((event) => entityOf(event, '1')?.what?.reference)).toEqual(['Patient/S1', 'Patient/S2', 'Patient/S3']);
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    for (const event of events) {
      expect([event.action, agentTypes(event), subtypes(event)]).toEqual([
        'E',
        ['110153', '110152'],
        ['search', 'search-type', 'ITI-78'],
      ]);
      expect(Buffer.from(entityOf(event, '24')?.query ?? '', 'base64').toString()).toBe(query);
      expect(event.entity?.filter(({ role }) => role?.code === '1')).toHaveLength(1);
    }
  });

  it('AUD-05: search that found nobody: one event without a patient', () => {
    const events = access({ event: 'search', patients: [] });
    expect(events).toHaveLength(1);
    expect(entityOf(first(events), '1')).toBeUndefined();
  });

  it.each([[['S2', 'S3']], [[]]])('AUD-10: $ihe-pix: the patient is the one whose identifier was asked about: %j', (patients) => {
    const query = 'GET /fhir/Patient/$ihe-pix?sourceIdentifier=urn:a%7C1&targetSystem=urn:b';
    const events = access({ event: 'pix', query, patients });
    expect(events).toHaveLength(Math.max(1, patients.length));
    for (const event of events) {
      expect(subtypes(event)).toEqual(['search', 'ITI-83']);
      expect(entityOf(event, '1')?.what?.identifier).toEqual({ system: 'urn:a', value: '1' });
    }
  });

  it('reading the audit is told as use of the audit log', () => {
    expect(first(access({ event: 'audit-read', patients: [] })).type.code).toBe('110101');
  });
});

describe('a refusal is told', () => {
  it.each(['no-certificate', 'certificate-refused', 'no-common-name'])(
    'TLS-05: %s: as a Security Alert on node authentication',
    (code) => {
      const told = first(access({ event: 'refusal', code, agent: '', status: 403, patients: [], count: 40 }));
      expect([told.type.code, subtypes(told), told.outcome]).toEqual(['110113', ['110126'], '4']);
      expect(told.outcomeDesc).toBe(`${code} (stands for 40 alike)`);
      expect(told.agent[0]?.who).toEqual({ display: 'unauthenticated' });
    },
  );

  it.each([
    ['POST /fhir/Patient', 422, 'create', 'C', '4'],
    ['PUT /fhir/Patient/1', 503, 'update', 'U', '8'],
    ['GET /fhir/Patient/1', 404, 'read', 'R', '4'],
  ])('%s answered %i: with what was tried and how it ended', (query, status, subtype, action, outcome) => {
    const told = first(access({ event: 'refusal', query, status, code: 'business-rule', patients: [] }));
    expect([subtypes(told), told.action, told.outcome, told.outcomeDesc]).toEqual([[subtype], action, outcome, 'business-rule']);
  });
});
