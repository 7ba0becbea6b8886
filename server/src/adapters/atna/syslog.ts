/** ITI-20 by syslog: RFC 5424 messages in RFC 5425 frames. */
import type { AuditEvent } from '../../fhir/r4.ts';
import { dicomMessage } from './dicom.ts';

/** ATNA-01: facility 10 (security), severity 5 (notice), or 4 (warning) for what failed. */
const PRIORITY = { notice: 85, warning: 84 } as const;

/** RFC 5424 §6: printable ASCII without blanks, so long at most; `-` for none. */
const headerField = (text: string, longest: number): string => text.replace(/[^\x21-\x7e]/g, '').slice(0, longest) || '-';

/**
 * The syslog message of an event (ATNA-01, ATNA-02). Its time is the event's, and it names no process: an event that is sent twice is
 * twice the same, byte for byte.
 */
export const syslogMessage = (event: AuditEvent): string => {
  const { outcome, recorded, source } = event;
  const priority = outcome === '0' ? PRIORITY.notice : PRIORITY.warning;
  const host = headerField(source.observer.identifier?.value ?? '', 255);
  const application = headerField(source.observer.display ?? '', 48);
  return `<${priority}>1 ${recorded} ${host} ${application} - IHE+RFC-3881 - ${dicomMessage(event)}`;
};

/** RFC 5425 §4.3: the length in octets, a blank, the message (ATNA-03). */
export const frame = (message: string): Buffer => {
  const bytes = Buffer.from(message, 'utf8');
  return Buffer.concat([Buffer.from(`${bytes.length} `, 'latin1'), bytes]);
};
