import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { type ErrorCode, RegistryError } from '../domain/errors.ts';
import type { BodyLimits } from '../fhir/limits.ts';
import { parseBody } from '../fhir/parse-json.ts';
import { isRefusal } from '../fhir/refusal.ts';
import { parseXml } from '../fhir/xml/parse-xml.ts';
import type { Asking } from './exchange.ts';
import { type Format, formatOf } from './negotiation.ts';

const decoders = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};
type Coding = keyof typeof decoders;
const isCoding = (name: string): name is Coding => Object.hasOwn(decoders, name);

const wrong = (code: ErrorCode, words: string): never => {
  throw new RegistryError(code, words);
};

interface MediaType {
  readonly type: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** A Content-Type in small letters, its parameters without quotes. */
function mediaTypeOf({ headers }: Asking): MediaType {
  const [type = '', ...rest] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const parameters = rest.map((parameter) => {
    const [name = '', ...value] = parameter.replaceAll('"', '').split('=');
    return [name, value.join('=')] as const;
  });
  return { type, parameters };
}

function checkCharset({ parameters }: MediaType): void {
  const isForeign = parameters.some(([name, value]) => name === 'charset' && value !== 'utf-8' && value !== 'utf8');
  if (isForeign) wrong('unsupported-media-type', 'The charset must be utf-8.');
}

/** REST-02, REST-04, REST-05: JSON or XML in UTF-8, FHIR 4.0. */
function formatOfBody(request: Asking): Format {
  const media = mediaTypeOf(request);
  const { type, parameters } = media;
  const format = type.includes('/') ? formatOf(type) : undefined;
  if (!format) {
    const said = type === '' ? 'The request has no Content-Type.' : `Content-Type ${type} is not understood.`;
    return wrong('unsupported-media-type', `${said} Send application/fhir+json or application/fhir+xml.`);
  }
  checkCharset(media);
  const isOther = parameters.some(([name, value]) => name === 'fhirversion' && !value.startsWith('4.0'));
  if (isOther) wrong('unsupported-media-type', 'This registry speaks FHIR 4.0.');
  return format;
}

async function decompressed(raw: Buffer, encoding: string, limit: number): Promise<Buffer> {
  if (encoding === '' || encoding === 'identity') return raw;
  if (!isCoding(encoding))
    return wrong('unsupported-media-type', `Content-Encoding ${encoding} is not understood: use gzip, deflate or br.`);
  try {
    return await decoders[encoding](raw, { maxOutputLength: limit });
  } catch (error) {
    // zlib says this of output past maxOutputLength: a compressed bomb is cut there.
    if (error instanceof RangeError) return wrong('too-large', `The body is larger than ${limit} bytes once decompressed.`);
    throw new RegistryError('invalid-json', `The body is not valid ${encoding}.`, { cause: error });
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

const decoded = (bytes: Buffer): string => {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new RegistryError('invalid-json', 'The body is not valid UTF-8.', { cause: error });
  }
};

/** What was sent, decompressed and decoded; undefined where there is no body. */
async function textOf({ body, headers }: Asking, { bodyBytes }: { readonly bodyBytes: number }): Promise<string | undefined> {
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined;
  const encoding = (headers['content-encoding'] ?? '').trim().toLowerCase();
  return decoded(await decompressed(body, encoding, bodyBytes));
}

const FORM = 'application/x-www-form-urlencoded';

/** The parameters of a form (SRCH-17), within limits; none where there is no body. Throws the RegistryError that says what is wrong. */
export async function readForm(request: Asking, limits: { readonly bodyBytes: number }): Promise<URLSearchParams> {
  if (!Buffer.isBuffer(request.body) || request.body.length === 0) return new URLSearchParams();
  const media = mediaTypeOf(request);
  if (media.type !== FORM) wrong('unsupported-media-type', `A search is sent as ${FORM}.`);
  checkCharset(media);
  return new URLSearchParams(await textOf(request, limits));
}

/** The JSON value of a request's body, also of one in XML, within limits; throws the RegistryError that says what is wrong. */
export async function readBody(request: Asking, limits: BodyLimits & { readonly bodyBytes: number }): Promise<unknown> {
  const format = formatOfBody(request);
  const text = (await textOf(request, limits)) ?? wrong('invalid-json', 'The request has no body.');
  const parsed = format === 'xml' ? parseXml(text, limits) : parseBody(text, limits);
  if (isRefusal(parsed)) throw new RegistryError(parsed.code, parsed.issues);
  return parsed.value;
}
