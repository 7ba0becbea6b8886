import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Refusal } from '../domain/errors.ts';
import { operationOutcome } from '../fhir/outcome.ts';
import { refuse } from '../fhir/refusal.ts';

const OVERFLOW = 'HPE_HEADER_OVERFLOW';

/** By the code of Node's error: the status line and what to say. */
const complaintOf = (code: string | undefined): { readonly status: string; readonly refusal: Refusal } => {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: '408 Request Timeout', refusal: refuse('too-slow', 'The request took too long to arrive.') };
  if (code === OVERFLOW)
    return {
      status: '431 Request Header Fields Too Large',
      refusal: refuse('too-large', 'The URL and the headers are too large.'),
    };
  return { status: '400 Bad Request', refusal: refuse('invalid-request', 'This is not HTTP.') };
};

/** Whether a request that has arrived whole is being answered on the socket: Node keeps its answer there. */
const answersWholeRequest = (socket: Socket): boolean => {
  const answer: unknown = Reflect.get(socket, '_httpMessage');
  if (!(answer instanceof ServerResponse)) return false;
  const request: unknown = answer.req;
  return answer.headersSent || (request instanceof IncomingMessage && request.complete);
};

/** `rawPacket`: what Node's parser was reading when it gave up. */
type BrokenRequest = Error & { readonly code?: string; readonly rawPacket?: unknown };

/**
 * RFC 9110 §9.3.2: the answer to a HEAD has no content, and its reader would take one for the answer to what it asks next.
 * Of a head that came in several packets only the last is known: it may have begun so.
 */
const mayBeHead = ({ code, rawPacket }: BrokenRequest): boolean => {
  if (!Buffer.isBuffer(rawPacket)) return false;
  const method = /^[A-Z]+(?= )/.exec(rawPacket.toString('latin1', 0, 20))?.[0];
  return method === undefined ? code === OVERFLOW : method === 'HEAD';
};

/**
 * What Node's parser gives up on, or what never arrives whole, is answered and hung up on. Whose request arrived whole is
 * hung up on only: it may be kept, so that the sender must not read of what followed it that it was refused.
 */
export function answerBrokenRequest(error: BrokenRequest, socket: Socket): void {
  // Without a handshake nothing can be said, and a socket that is only ended would wait for it for ever.
  const mute = !socket.writable || error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT';
  if (mute || answersWholeRequest(socket)) {
    socket.destroy();
    return;
  }
  const { status, refusal } = complaintOf(error.code);
  const body = JSON.stringify(operationOutcome(refusal));
  const head = ['connection: close', 'content-type: application/fhir+json', `content-length: ${Buffer.byteLength(body)}`];
  socket.end([`HTTP/1.1 ${status}`, ...head, '', mayBeHead(error) ? '' : body].join('\r\n'));
}
