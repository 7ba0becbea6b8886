/** The codes of IHE BALP and DICOM that AuditEvents are made of (standards.md §5). */
import type { CodeableConcept, Coding } from './r4.ts';

export const dicom = 'http://dicom.nema.org/resources/ontology/DCM';
const interactionSystem = 'http://hl7.org/fhir/restful-interaction';

export const rest: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  code: 'rest',
  display: 'RESTful Operation',
};
export const securityAlert: Coding = { system: dicom, code: '110113', display: 'Security Alert' };
export const nodeAuthentication: Coding = { system: dicom, code: '110126', display: 'Node Authentication' };
export const securityAttributesChanged: Coding = { system: dicom, code: '110137', display: 'User Security Attributes Changed' };
export const auditLogUsed: Coding = { system: dicom, code: '110101', display: 'Audit Log Used' };
export const applicationActivity: Coding = { system: dicom, code: '110100', display: 'Application Activity' };
export const applicationStart: Coding = { system: dicom, code: '110120', display: 'Application Start' };
export const applicationStop: Coding = { system: dicom, code: '110121', display: 'Application Stop' };
export const iti78: Coding = {
  system: 'urn:ihe:event-type-code',
  code: 'ITI-78',
  display: 'Mobile Patient Demographics Query',
};
export const iti83: Coding = {
  system: 'urn:ihe:event-type-code',
  code: 'ITI-83',
  display: 'Mobile Patient Identifier Cross-reference Query',
};

export const iti104: Coding = {
  system: 'urn:ihe:event-type-code',
  code: 'ITI-104',
  display: 'Patient Identity Feed FHIR',
};

export const iti119: Coding = {
  system: 'urn:ihe:event-type-code',
  code: 'ITI-119',
  display: 'Patient Demographics Match',
};

export const interaction = (code: string): Coding => ({ system: interactionSystem, code, display: code });

export const sourceRole: CodeableConcept = { coding: [{ system: dicom, code: '110153', display: 'Source Role ID' }] };
export const destinationRole: CodeableConcept = { coding: [{ system: dicom, code: '110152', display: 'Destination Role ID' }] };

export const applicationLauncher: CodeableConcept = {
  coding: [{ system: dicom, code: '110151', display: 'Application Launcher' }],
};
/** Who called for the client. */
export const proxy: CodeableConcept = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleClass', code: 'AGNT', display: 'agent' }],
};
export const custodian: CodeableConcept = {
  coding: [
    { system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'custodian', display: 'Custodian' },
  ],
};
export const application: CodeableConcept = { coding: [{ system: dicom, code: '110150', display: 'Application' }] };

const entityType = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const objectRole = 'http://terminology.hl7.org/CodeSystem/object-role';

export const person: Coding = { system: entityType, code: '1', display: 'Person' };
export const systemObject: Coding = { system: entityType, code: '2', display: 'System Object' };
export const patientRole: Coding = { system: objectRole, code: '1', display: 'Patient' };
export const domainResource: Coding = { system: objectRole, code: '4', display: 'Domain Resource' };
export const queryRole: Coding = { system: objectRole, code: '24', display: 'Query' };
export const requestIdType: Coding = {
  system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType',
  code: 'XrequestId',
};

export const applicationServer: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
  code: '4',
  display: 'Application Server',
};
