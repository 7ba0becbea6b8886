import { RegistryError } from '../domain/errors.ts';

export type Format = 'json' | 'xml';

/** The names of a format; a raw `+` in a query arrives as a blank (REST-03). */
const namesOf = (format: Format): readonly string[] => [
  format,
  `text/${format}`,
  `application/${format}`,
  `application/fhir+${format}`,
  `application/${format}+fhir`,
  `application/fhir ${format}`,
  `application/${format} fhir`,
];

const NAMES = new Map((['json', 'xml'] as const).flatMap((format) => namesOf(format).map((name) => [name, format] as const)));
const ANY: readonly string[] = ['*/*', 'application/*', 'text/*'];

/** The format that a media type names, without its parameters. */
export const formatOf = (type: string): Format | undefined => NAMES.get(type.split(';')[0]?.trim().toLowerCase() ?? '');

interface Wish {
  readonly format: Format;
  readonly quality: number;
}

/** What one part of an Accept header wishes for, if it is anything that is served: FHIR 4.0 in JSON or XML. */
const wishOf = (part: string): Wish | undefined => {
  const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
  if (parameters.some((parameter) => /^fhirversion="?(?!4\.0)/.test(parameter))) return undefined;
  const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
  const format = ANY.includes(type) ? 'json' : NAMES.get(type);
  return format && quality > 0 ? { format, quality } : undefined;
};

const isBetter = (one: Wish, other: Wish): boolean =>
  one.quality > other.quality || (one.quality === other.quality && one.format === 'json');

/** The format of highest quality; of equals JSON, in which OpenCR 1.x answered everything (HAPI clients name both alike). */
const preferredOf = (accept: string): Format | undefined =>
  accept
    .split(',')
    .map(wishOf)
    .filter((wish) => wish !== undefined)
    .reduce<Wish | undefined>((best, wish) => (best && isBetter(best, wish) ? best : wish), undefined)?.format;

/** REST-02…05: the format of the answer. `_format` beats Accept; undefined: what is asked for cannot be had. */
export function negotiated(accept: string | undefined, format: string | undefined): Format | undefined {
  if (format !== undefined) return formatOf(format);
  return accept === undefined || accept === '' ? 'json' : preferredOf(accept);
}

/** REST-04. Throws `not-acceptable`. */
export function checkAcceptable(format: Format | undefined): void {
  if (format === undefined) {
    throw new RegistryError(
      'not-acceptable',
      'This registry answers in application/fhir+json or application/fhir+xml of FHIR 4.0 only.',
    );
  }
}

/** `Prefer: return=…` (REST-06); without one the representation. */
export function preferred(prefer: string | string[] | undefined): 'representation' | 'minimal' | 'OperationOutcome' {
  const said = /(?:^|[;,\s])return=(minimal|representation|OperationOutcome)/.exec(String(prefer ?? ''))?.[1];
  return said === 'minimal' || said === 'OperationOutcome' ? said : 'representation';
}

/** `Prefer: handling=…` (REST-07); null where the client did not say. */
export const handling = (prefer: string | string[] | undefined): string | null =>
  /(?:^|[;,\s])handling=(strict|lenient)/.exec(String(prefer ?? ''))?.[1] ?? null;
