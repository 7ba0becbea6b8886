import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyChange } from '../../domain/change-set.ts';
import { type AccessRow, accessEvents, changeEvents } from '../../fhir/audit-event.ts';
import type { AuditEvent } from '../../fhir/r4.ts';
import { auditSource, committed, row } from '../../fhir/sample-audit.ts';
import { faultsOf } from './audit-message.fixture.ts';
import { dicomMessage } from './dicom.ts';
import { type Node, readXml } from './read-xml.fixture.ts';
import { frame, syslogMessage } from './syslog.ts';

const access = (part: Partial<AccessRow>): readonly AuditEvent[] => accessEvents({ ...row, ...part }, auditSource);
const only = <T>([one, ...more]: readonly T[]): T => {
  if (one === undefined || more.length > 0) throw new Error(`${more.length + 1} of what should be one`);
  return one;
};
const read = (event: AuditEvent): Node => readXml(dicomMessage(event));
const all = (node: Node, name: string): readonly Node[] => [
  ...(node.name === name ? [node] : []),
  ...node.children.flatMap((child) => all(child, name)),
];
const codes = (node: Node, name: string): readonly string[] =>
  all(node, name).map(({ attributes }) => `${attributes['codeSystemName'] ?? ''} ${attributes['csd-code'] ?? ''}`);
const objectOf = (node: Node, role: string): Node =>
  only(
    all(node, 'ParticipantObjectIdentification').filter(({ attributes }) => attributes['ParticipantObjectTypeCodeRole'] === role),
  );

const administered = changeEvents(
  {
    sequence: 18,
    change: emptyChange('2026-01-01T00:00:00.000Z', {
      ...committed.change.audit,
      action: 'administer',
      agent: 'root',
      address: '',
    }),
  },
  auditSource,
);
const searched = access({ event: 'search', query: 'GET /fhir/Patient?identifier=urn:s|ü', patients: ['S1', 'S2'] });
const refused = access({ event: 'refusal', code: 'no-certificate', agent: '', status: 403, patients: [] });
const fed = changeEvents(
  {
    ...committed,
    change: { ...committed.change, goldens: [], audit: { ...committed.change.audit, what: 'PUT Patient?identifier' } },
  },
  auditSource,
);

/** Every kind of event that the trail has. */
const everything: readonly AuditEvent[] = [
  ...changeEvents(committed, auditSource),
  ...[
    'read',
    'vread',
    'history',
    'search',
    'pix',
    'match',
    'capabilities',
    'audit-read',
    'application-start',
    'application-stop',
  ].flatMap((event) => access({ event })),
  ...['POST', 'PUT', 'DELETE', 'GET'].flatMap((method) =>
    access({ event: 'refusal', query: `${method} /fhir/Patient/1`, status: 422, code: 'business-rule', patients: [] }),
  ),
  ...[administered, searched, refused, fed].flat(),
];

describe('the audit message', () => {
  it('ATNA-02: of every kind of event has the structure of PS3.15 A.5.1', () => {
    expect(everything.flatMap((event) => faultsOf(read(event)))).toEqual([]);
  });

  it('ATNA-02: holds whatever text it is given, well-formed and on one line', () => {
    const nasty = fc.string({
      unit: fc.oneof(
        fc.constantFrom('<', '&', '"', "'", '>', ']', '\n', '\t', '\0', '\u{FFFE}', '\uD800', '😀', 'ü'),
        fc.string(),
      ),
    });
    fc.assert(
      fc.property(nasty, nasty, nasty, (agent, query, code) => {
        for (const event of access({ event: 'refusal', agent: `a${agent}`, query, code: `c${code}`, patients: [] })) {
          const text = dicomMessage(event);
          expect(text).not.toMatch(/[\r\n]/);
          expect(text.isWellFormed()).toBe(true);
          const node = readXml(text);
          const writable = `a${agent}`
            .toWellFormed()
            .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
          expect(all(node, 'ActiveParticipant')[0]?.attributes['UserName']).toBe(writable);
        }
      }),
    );
  });

  it('ATNA-05: is one for each patient', () => {
    const patients = searched.map((event) => objectOf(read(event), '1').attributes['ParticipantObjectID']);
    expect(patients).toHaveLength(2);
    for (const event of everything) {
      const persons = all(read(event), 'ParticipantObjectIdentification').filter(
        ({ attributes }) => attributes['ParticipantObjectTypeCode'] === '1',
      );
      expect(persons.length).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    ['a created record', () => only(changeEvents(committed, auditSource).slice(0, 1)), 'DCM 110110', 'C'],
    ['an updated record', () => only(changeEvents(committed, auditSource).slice(1, 2)), 'DCM 110110', 'U'],
    ['a read record', () => only(access({ event: 'read' })), 'DCM 110110', 'R'],
    [
      'a refused deletion',
      () => only(access({ event: 'refusal', query: 'DELETE /fhir/Patient/1', status: 404, patients: [] })),
      'DCM 110110',
      'D',
    ],
    ['a query', () => only(searched.slice(0, 1)), 'DCM 110112', 'E'],
    ['a node that was not let in', () => only(refused), 'DCM 110113', 'E'],
    ['a change of clients', () => only(administered), 'DCM 110113', 'E'],
    ['reading the audit log', () => only(access({ event: 'audit-read', patients: [] })), 'DCM 110101', 'R'],
    ['the start of the server', () => only(access({ event: 'application-start', patients: [] })), 'DCM 110100', 'E'],
    ['the end of the server', () => only(access({ event: 'application-stop', patients: [] })), 'DCM 110100', 'E'],
  ] as const)('ATNA-06: names %s', (_, event, id, action) => {
    const message = read(event());
    expect([codes(message, 'EventID'), only(all(message, 'EventIdentification')).attributes['EventActionCode']]).toEqual([
      [id],
      action,
    ]);
  });

  it('ATNA-06: the start and the end are told apart, and by whom: the application, and who launched it', () => {
    const types = ['application-start', 'application-stop'].map((event) =>
      read(only(access({ event, patients: [], agent: 'root', address: '' }))),
    );
    expect(types.map((message) => codes(message, 'EventTypeCode'))).toEqual([['DCM 110120'], ['DCM 110121']]);
    expect(codes(types[0]!, 'RoleIDCode')).toEqual(['DCM 110151', 'DCM 110150']);
  });

  it('ATNA-07: names the transaction, as IHE does', () => {
    const query = 'GET /fhir/Patient/$ihe-pix?sourceIdentifier=urn:oid:1.2.3%7C9';
    const message = read(only(access({ event: 'pix', query, patients: ['S1'] })));
    expect(codes(message, 'EventTypeCode')).toContain('IHE Transactions ITI-83');
    expect(codes(objectOf(message, '24'), 'ParticipantObjectIDTypeCode')).toEqual(['IHE Transactions ITI-83']);
    expect(objectOf(message, '1').attributes['ParticipantObjectID']).toBe('9^^^&1.2.3&ISO');
    expect(Buffer.from(only(all(message, 'ParticipantObjectQuery')).text, 'base64').toString()).toBe(query);
  });

  it('ATNA-07: of the identity feed names the patient by the identifier', () => {
    const [message] = fed.map(read);
    expect(codes(message!, 'EventTypeCode')).toContain('IHE Transactions ITI-104');
    expect(objectOf(message!, '1').attributes['ParticipantObjectID']).toBe('v^^^&s&URI');
  });
});

describe('the syslog message', () => {
  const [event] = access({});

  it('ATNA-01, ATNA-02: its header is RFC 5424’s, with MSGID IHE+RFC-3881 and no structured data', () => {
    const message = syslogMessage(event!);
    expect(message).toMatch(/^<85>1 2026-01-01T00:00:00\.000Z cr\.example\.org OpenCR - IHE\+RFC-3881 - <AuditMessage>/);
    expect(message.slice(message.indexOf('<AuditMessage>'))).toBe(dicomMessage(event!));
  });

  it('ATNA-01: of what failed is a warning', () => {
    expect(syslogMessage(only(refused))).toMatch(/^<84>1 /);
  });

  it('ATNA-03: is framed by the number of its octets, without a byte order mark', () => {
    const message = 'ü😀 x';
    expect(frame(message)).toEqual(Buffer.from('8 ü😀 x'));
  });

  it('names nobody who cannot be named in ASCII', () => {
    const odd = only(accessEvents(row, { ...auditSource, host: 'cr ü\n', name: '日本' }));
    expect(syslogMessage(odd)).toContain('Z cr - - IHE+RFC-3881 - ');
  });
});
