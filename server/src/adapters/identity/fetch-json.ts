import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 1024 * 1024;

const get = (url: URL, ca: string | null): Promise<IncomingMessage> =>
  new Promise((done, fail) => {
    const options = {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // A connection kept open would hold up the end of the process.
      agent: false,
    } as const;
    const asking =
      url.protocol === 'https:' ? httpsRequest(url, { ...options, ...(ca !== null && { ca }) }) : httpRequest(url, options);
    asking.once('response', done);
    asking.once('error', fail);
    asking.end();
  });

/** At most `MAX_BYTES`; what is longer is no answer that we asked for. */
async function readAll(answer: IncomingMessage): Promise<string> {
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) answer.destroy(new Error('the answer is too long'));
  });
  return (await buffer(answer)).toString('utf8');
}

/**
 * The JSON at a URL; redirects are not followed.
 * @param ca PEM of the authorities trusted for this server, instead of those that Node trusts; null: those.
 * @throws where it cannot be had within five seconds, is not answered with 200, is longer than a megabyte, or is no JSON.
 */
export async function fetchJson(url: string, ca: string | null): Promise<unknown> {
  const answer = await get(new URL(url), ca);
  if (answer.statusCode !== 200) {
    answer.resume();
    throw new Error(`it answered with ${answer.statusCode ?? 'nothing'}`);
  }
  const parsed: unknown = JSON.parse(await readAll(answer));
  return parsed;
}
