/** AuditEvents as DICOM audit messages (PS3.15 A.5), as ITI-20 sends them by syslog. */
import { dicom } from '../../fhir/audit-codes.ts';
import type { AuditEvent, AuditEventAgent, AuditEventEntity, CodeableConcept, Coding, Identifier } from '../../fhir/r4.ts';
import { type Element, element, xml } from './xml.ts';

/** Names that DICOM and IHE give to code systems; of others the URI. */
const systemNames: Readonly<Record<string, string>> = {
  [dicom]: 'DCM',
  'urn:ihe:event-type-code': 'IHE Transactions',
};

/** A coded value (A.5.1, CodedValueType). */
const coded = (name: string, { system = '', code = '', display }: Coding): Element =>
  element(name, { 'csd-code': code, codeSystemName: systemNames[system] ?? system, originalText: display ?? code });

const rfc3881 = (code: string, originalText: string): Coding => ({ system: 'RFC-3881', code, display: originalText });
const PATIENT_NUMBER = rfc3881('2', 'Patient Number');
const SEARCH_CRITERIA = rfc3881('10', 'Search Criteria');
const URI = rfc3881('12', 'URI');

const PATIENT_RECORD: Coding = { system: dicom, code: '110110', display: 'Patient Record' };
const QUERY: Coding = { system: dicom, code: '110112', display: 'Query' };

const isQuery = ({ query }: AuditEventEntity): boolean => query !== undefined;

/** ATNA-06, ATNA-07: events that DICOM names keep their name; REST is a Query, or else touches a Patient Record. */
const eventId = ({ type, action, entity = [] }: AuditEvent): Coding => {
  if (type.system === dicom) return type;
  return (action === 'E' || action === 'R') && entity.some(isQuery) ? QUERY : PATIENT_RECORD;
};

const identification = (event: AuditEvent): Element =>
  element(
    'EventIdentification',
    { EventActionCode: event.action, EventDateTime: event.recorded, EventOutcomeIndicator: event.outcome },
    [
      coded('EventID', eventId(event)),
      ...(event.subtype ?? []).map((one) => coded('EventTypeCode', one)),
      ...(event.outcomeDesc === undefined ? [] : [element('EventOutcomeDescription', {}, event.outcomeDesc)]),
    ],
  );

const roles = ({ coding = [] }: CodeableConcept): readonly Element[] => coding.map((one) => coded('RoleIDCode', one));

const participant = ({ type, who, requestor, network }: AuditEventAgent): Element =>
  element(
    'ActiveParticipant',
    {
      UserID: who.identifier?.value ?? who.display ?? 'unknown',
      ...(who.identifier?.system !== undefined && {
        AlternativeUserID: `${who.identifier.system}|${who.identifier.value ?? ''}`,
      }),
      ...(who.display !== undefined && { UserName: who.display }),
      UserIsRequestor: String(requestor),
      NetworkAccessPointID: network.address,
      NetworkAccessPointTypeCode: network.type,
    },
    roles(type),
  );

const source = ({ source: { observer, type } }: AuditEvent): Element =>
  element(
    'AuditSourceIdentification',
    { AuditEnterpriseSiteID: observer.identifier?.value ?? '', AuditSourceID: observer.display ?? '' },
    type.map(({ code = '9' }) => element('AuditSourceTypeCode', { 'csd-code': code })),
  );

/** HL7 v2 CX: `value^^^&authority&type`, as IHE names patients in audit messages. */
const cx = ({ system = '', value = '' }: Identifier): string =>
  system.startsWith('urn:oid:') ? `${value}^^^&${system.slice(8)}&ISO` : `${value}^^^&${system}&URI`;

const objectId = ({ what, type }: AuditEventEntity, event: AuditEvent): string => {
  if (type.code === '1' && what?.identifier) return cx(what.identifier);
  return what?.reference ?? what?.identifier?.value ?? event.id;
};

/** What kind of thing the id of an entity names. */
const idType = (entity: AuditEventEntity, { subtype = [] }: AuditEvent): Coding => {
  if (isQuery(entity)) return subtype.find(({ system }) => system === 'urn:ihe:event-type-code') ?? SEARCH_CRITERIA;
  if (entity.type.code === '1') return PATIENT_NUMBER;
  return entity.role ? URI : entity.type;
};

const OTHER = '4';

/** The schema wants a name or a query in each object. */
const object = (event: AuditEvent, entity: AuditEventEntity): Element => {
  const { query, role, type, what } = entity;
  const both = type.code === '1' && what?.identifier && what.reference !== undefined;
  return element(
    'ParticipantObjectIdentification',
    {
      ParticipantObjectID: objectId(entity, event),
      ParticipantObjectTypeCode: role ? (type.code ?? OTHER) : OTHER,
      ...(role?.code !== undefined && { ParticipantObjectTypeCodeRole: role.code }),
    },
    [
      coded('ParticipantObjectIDTypeCode', idType(entity, event)),
      query === undefined
        ? element('ParticipantObjectName', {}, what?.reference ?? '')
        : element('ParticipantObjectQuery', {}, query),
      ...(both
        ? [element('ParticipantObjectDetail', { type: 'reference', value: Buffer.from(what.reference ?? '').toString('base64') })]
        : []),
    ],
  );
};

/** The audit message of an event: XML 1.0 on one line, without declaration or byte order mark (ATNA-02). */
export const dicomMessage = (event: AuditEvent): string =>
  xml(
    element('AuditMessage', {}, [
      identification(event),
      ...event.agent.map(participant),
      source(event),
      ...(event.entity ?? []).map((entity) => object(event, entity)),
    ]),
  );
