/** What must hold of every answer, whatever was asked. */
import type { Answer } from '../support/registry-server.ts';
import type { Shot } from './requests.ts';

const isJson = (type: string): boolean => /^application\/(fhir\+)?json; charset=utf-8$/.test(type);
const isXml = (type: string): boolean => type === 'application/fhir+xml; charset=utf-8';

const PATIENT_WRITE = /^\/(?:fhir\/Patient(?:\/[^/?]*\/?)?|Patient\/?|addPatient\/?)?(?:\?|$)/;
const BUNDLE_WRITE = /^\/(?:fhir\/?|addPatient\/?)?(?:\?|$)/;

function complaintOfError(answer: Answer): string | null {
  const { issue } = answer.resource('OperationOutcome');
  const [first] = issue;
  if (first?.severity !== 'error') return 'its first issue is no error';
  if (!/\S.{5,}/.test(first.diagnostics)) return 'its issue says nothing';
  return issue.every(({ code }) => /^[a-z-]+$/.test(code)) ? null : 'an issue has no code';
}

/** Whether the answer's format is that which was asked for; only FHIR is written in XML. */
const isAsked = ({ asked }: Shot, type: string, isError: boolean): boolean =>
  asked === null
    ? isJson(type) || isXml(type)
    : asked === 'json' || (!isError && type.startsWith('application/json'))
      ? isJson(type)
      : isXml(type);

/** What is wrong with an answer in words; null where nothing is. */
export function complaint(shot: Shot, answer: Answer): string | null {
  const { status, headers, text } = answer;
  const isError = status >= 400;
  if (status >= 500 && status !== 503) return 'the registry failed';
  if (status < 200 || (status >= 300 && !isError && status !== 304)) return 'a status that is not documented';
  if (/\n\s+at |\/server\/src\/|SQLITE/.test(text)) return 'the answer tells of the inside';
  if (status === 503 && headers['retry-after'] === undefined && !shot.path.startsWith('/health/'))
    return '503 without Retry-After';
  const isBare = shot.method === 'HEAD' || status === 204 || status === 304;
  if (isBare && text !== '') return 'a body where there must be none';
  // What Node's parser refuses never reaches the door, and is answered in JSON.
  if (headers['x-request-id'] === undefined && [400, 431].includes(status)) {
    if (headers['content-type'] !== 'application/fhir+json') return 'not in FHIR JSON';
    return isBare ? null : complaintOfError(answer);
  }
  if (headers['x-request-id'] === undefined) return 'no request id';
  if (!shot.path.startsWith('/health/') && headers['cache-control'] !== 'no-store') return 'the answer may be kept on the way';
  if (isBare) return null;
  if (text === '') return isError ? 'an error without a body' : null;
  const type = headers['content-type'] ?? '';
  if (!isAsked(shot, type, isError)) return `the answer is in ${type}`;
  if (isError) return complaintOfError(answer);
  return answer.body() === null ? 'no body' : null;
}

const isDone = (status: string | number): boolean => /^2/.test(String(status));

/** How many change sets the answer says were kept, at least and at most: a transaction and a batch commit as they like. */
export function keptOf({ method, path, headers: sent }: Shot, answer: Answer): { readonly least: number; readonly most: number } {
  const none = { least: 0, most: 0 };
  if (!isDone(answer.status) || !['POST', 'PUT', 'DELETE'].includes(method)) return none;
  // What was there already or was not there is answered with success too, and nothing is kept of it.
  if (method === 'DELETE') return { least: answer.headers['etag'] === undefined ? 0 : 1, most: 1 };
  const isMinimal = answer.text === '';
  const body = isMinimal
    ? {}
    : (answer.body() as {
        readonly type?: string;
        readonly entry?: readonly { readonly response: { readonly status: string } }[];
      });
  if (BUNDLE_WRITE.test(path) && body.type !== undefined) {
    const done = (body.entry ?? []).filter(({ response }) => isDone(response.status)).length;
    return { least: 0, most: done };
  }
  if (!PATIENT_WRITE.test(path) || path.includes('$')) return none;
  return { least: sent['if-none-exist'] === undefined ? 1 : 0, most: 1 };
}
