/** A change and a row of the access log, for the tests of this folder. */
import { type ChangeSet, type Committed, emptyChange } from '../domain/change-set.ts';
import type { AccessRow, AuditSource } from './audit-event.ts';

export const auditSource: AuditSource = {
  name: 'OpenCR',
  host: 'cr.example.org',
  clientSystem: 'http://example.org/cr/clientid',
};

const recordOf = (key: number, id: string, version: number): ChangeSet['records'][number] => ({
  record: {
    key,
    id,
    version,
    source: 'openmrs',
    identity: { system: 's', value: 'v', client: 'c' },
    active: true,
    golden: 1,
    flags: [],
  },
  content: null,
  features: null,
});

export const committed: Committed = {
  sequence: 17,
  change: {
    ...emptyChange('2026-01-01T00:00:00.000Z', {
      action: 'create',
      agent: 'openmrs',
      address: '192.0.2.7',
      requestId: 'req-1',
      record: 1,
      what: 'POST Patient',
    }),
    records: [recordOf(1, 'S1', 1), recordOf(2, 'S2', 4)],
    goldens: [{ golden: { key: 1, id: 'G1', version: 3, active: true, replacedBy: null }, retired: 'stays' }],
  },
};

export const row: AccessRow = {
  id: 5,
  at: '2026-01-01T00:00:00.000Z',
  event: 'read',
  agent: 'dhis2',
  address: '192.0.2.8',
  requestId: 'req-2',
  status: 200,
  query: 'GET /fhir/Patient/S1',
  patients: ['S1'],
  code: '',
  count: 1,
};
