import { RegistryError } from '../domain/errors.ts';

const JSON_NAMES: readonly string[] = [
  'json',
  'text/json',
  'application/json',
  'application/fhir+json',
  'application/json+fhir',
  // A raw `+` in a query arrives as a blank (REST-03).
  'application/fhir json',
  'application/json fhir',
];

const accepts = (accept: string): boolean =>
  accept.split(',').some((part) => {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    if (parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter) || /^fhirversion="?(?!4\.0)/.test(parameter))) return false;
    return JSON_NAMES.includes(type) || type === '*/*' || type === 'application/*' || type === 'text/*';
  });

/** REST-02…05: `_format` beats Accept; what is not JSON, or not FHIR 4.0, cannot be had. Throws `not-acceptable`. */
export function checkAcceptable(accept: string | undefined, format: string | undefined): void {
  const json =
    format === undefined
      ? accept === undefined || accept === '' || accepts(accept)
      : JSON_NAMES.includes(format.split(';')[0]?.trim().toLowerCase() ?? '');
  if (!json)
    throw new RegistryError(
      'not-acceptable',
      'This registry answers in application/fhir+json of FHIR 4.0 only (XML is not served yet).',
    );
}

/** `Prefer: return=…` (REST-06); without one the representation. */
export function preferred(prefer: string | string[] | undefined): 'representation' | 'minimal' | 'OperationOutcome' {
  const said = /(?:^|[;,\s])return=(minimal|representation|OperationOutcome)/.exec(String(prefer ?? ''))?.[1];
  return said === 'minimal' || said === 'OperationOutcome' ? said : 'representation';
}
