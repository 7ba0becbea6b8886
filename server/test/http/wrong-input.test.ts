/** What is wrong with a request is said with the right status and an OperationOutcome, and nothing of it is kept. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { type Answer, type Sending, startRegistry } from '../support/registry-server.ts';
import { cruidOf, idOf, identifier, NATIONAL, patient, systemOf } from './people.ts';

const registry = await startRegistry();
afterAll(() => registry.stop());
const { send } = registry;

/** Two records that the cases try to damage. */
const first = await send('POST', '/fhir/Patient', { body: patient('openmrs', 'first') });
const second = await send('POST', '/fhir/Patient', { body: patient('openmrs', 'second') });
const known = { id: idOf(first), golden: cruidOf(first), other: idOf(second) };

type Expected = readonly [status: number, code: string, expression?: string | undefined];

async function refused(method: string, path: string, sending: Sending, [status, code, expression]: Expected): Promise<Answer> {
  const before = await registry.head();
  const answer = await send(method, path, sending);
  expect(answer.status, answer.text.slice(0, 300)).toBe(status);
  const [issue] = answer.resource('OperationOutcome').issue;
  expect(issue).toMatchObject({ severity: 'error', code });
  expect(issue?.diagnostics).toMatch(/\S.{5,}/);
  expect(issue?.expression?.[0]).toBe(expression);
  expect(await registry.head()).toEqual(before);
  expect((await send('GET', '/health/ready', { client: null })).status).toBe(200);
  return answer;
}

const post = (sending: Sending, expected: Expected) => refused('POST', '/fhir/Patient', sending, expected);

const good = (more: object = {}): object => ({ ...patient('openmrs', 'wrong'), ...more });
const text = JSON.stringify(good());
/** The good Patient as text, with something put in place of its gender's name. */
const withText = (old: string, replacement: string): string => text.replace(old, () => replacement);
const bytes = (...parts: readonly (string | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const inName = (content: readonly number[]): Buffer => bytes('{"resourceType":"Patient","name":[{"family":"', content, '"}]}');
const JSON_WRONG: Expected = [400, 'structure'];

describe('what is no JSON (400)', () => {
  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['blanks', ' \r\n\t '],
    ['an object cut off', text.slice(0, -5)],
    ['a comma too many', `${text.slice(0, -1)},}`],
    ['two objects', text + text],
    ['a quote of the wrong kind', withText('"resourceType"', "'resourceType'")],
    ['a key without quotes', withText('"resourceType"', 'resourceType')],
    ['a comment', `/* hello */${text}`],
    ['NaN', withText('true', 'NaN')],
    ['undefined', 'undefined'],
    ['a number that JSON.parse makes infinite', withText('true', '1e400')],
    ['a number of 400 digits', withText('true', `-${'9'.repeat(400)}`)],
    ['XML', '<Patient xmlns="http://hl7.org/fhir"/>'],
    ['a form', 'resourceType=Patient&family=Okello'],
    ['a line break within a string', withText('"Patient"', '"Pati\nent"')],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    ['a byte that UTF-8 has not', inName([0xff])],
    ['Latin-1', inName([0x4d, 0xfc, 0x6c])],
    ['an overlong NUL', inName([0xc0, 0x80])],
    ['half a surrogate pair as bytes', inName([0xed, 0xa0, 0x80])],
    ['a character cut off', inName([0xe2, 0x82])],
    ['a key that is given twice', '{"resourceType":"Patient","resourceType":"Patient"}'],
    ['a key twice within', '{"resourceType":"Patient","name":[{"family":"A","family":"B"}]}'],
    ['a key twice, once escaped', '{"resourceType":"Patient","active":true,"\\u0061ctive":false}'],
    ['__proto__', '{"resourceType":"Patient","__proto__":{"admin":true}}'],
    ['__proto__ escaped', '{"resourceType":"Patient","\\u005f_proto__":{"admin":true}}'],
    ['__proto__ within a name', '{"resourceType":"Patient","name":[{"__proto__":{"family":"A"}}]}'],
    ['constructor', '{"resourceType":"Patient","constructor":{"prototype":{"admin":true}}}'],
    ['a NUL escaped', '{"resourceType":"Patient","name":[{"family":"\\u0000"}]}'],
    ['a bell escaped', '{"resourceType":"Patient","name":[{"family":"\\u0007"}]}'],
    ['the first half of a surrogate pair', '{"resourceType":"Patient","name":[{"family":"\\ud83d"}]}'],
    ['the second half of a surrogate pair', '{"resourceType":"Patient","name":[{"family":"\\ude00"}]}'],
    ['surrogates the wrong way round', '{"resourceType":"Patient","name":[{"family":"\\ude00\\ud83d"}]}'],
  ])('%s', async (_what, body) => {
    await post({ body }, JSON_WRONG);
    expect(({} as { readonly admin?: boolean }).admin).toBeUndefined();
  });
});

describe('what is too large (413), said in less than a second', () => {
  const bomb = Buffer.alloc(64 * 1024 * 1024, 0x20);
  it.each<[string, () => Sending, Expected]>([
    ['33 levels deep', () => ({ body: '['.repeat(33) + ']'.repeat(33) }), [413, 'too-long']],
    ['a million levels deep', () => ({ body: '{"a":'.repeat(1_000_000) }), [413, 'too-long']],
    ['200,001 values', () => ({ body: `[${'1,'.repeat(200_001)}1]` }), [413, 'too-long']],
    [
      'a string of over 1,048,576 characters',
      () => ({ body: withText('"Patient"', `"${'x'.repeat(1_048_577)}"`) }),
      [413, 'too-long'],
    ],
    ['more than 10 MB', () => ({ body: Buffer.alloc(10 * 1024 * 1024 + 1, 0x20) }), [413, 'too-long']],
    ['a bomb of gzip', () => ({ body: gzipSync(bomb), headers: { 'content-encoding': 'gzip' } }), [413, 'too-long']],
    ['a bomb of deflate', () => ({ body: deflateSync(bomb), headers: { 'content-encoding': 'deflate' } }), [413, 'too-long']],
    ['a bomb of brotli', () => ({ body: brotliCompressSync(bomb), headers: { 'content-encoding': 'br' } }), [413, 'too-long']],
    [
      'a name of 1 MB',
      () => ({ body: good({ name: [{ family: 'x'.repeat(1_000_000) }] }) }),
      [422, 'business-rule', 'Patient.name[0].family'],
    ],
    [
      '1 MB of letters with marks',
      () => ({ body: good({ name: [{ text: 'é\u0301'.repeat(250_000) }] }) }),
      [422, 'business-rule', 'Patient.name[0].text'],
    ],
    [
      'an identifier of 5,000 characters',
      () => ({ body: good({ identifier: [identifier('openmrs', '7'.repeat(5_000))] }) }),
      [422, 'business-rule', 'Patient.identifier[0].value'],
    ],
    ['101 names', () => ({ body: good({ name: Array(101).fill({ family: 'A' }) }) }), [422, 'business-rule', 'Patient.name']],
    [
      '190,000 names that are none',
      () => ({ body: good({ name: Array(190_000).fill(null) }) }),
      [422, 'business-rule', 'Patient.name'],
    ],
    [
      '30,000 names of numbers',
      () => ({ body: good({ name: Array(30_000).fill({ family: 1, given: 1, use: 1, x: 1 }) }) }),
      [422, 'business-rule', 'Patient.name'],
    ],
    [
      '90,000 contained resources',
      () => ({ body: good({ contained: Array(90_000).fill({ resourceType: 'Basic' }) }) }),
      [422, 'business-rule', 'Patient.contained'],
    ],
    [
      'a list of lists by a name of its own',
      () => ({ body: good({ 'a.b~1': [Array(101).fill(1)] }) }),
      [422, 'business-rule', 'Patient.`a.b~1`[0]'],
    ],
    [
      'a narrative of 65,000 blanks after a <',
      () => ({ body: good({ text: { status: 'generated', div: `<div><${' '.repeat(65_000)}/script` } }) }),
      [422, 'business-rule', 'Patient.text.div'],
    ],
  ])('%s', async (_what, sending, expected) => {
    const ready = sending();
    const start = performance.now();
    await post(ready, expected);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe('encodings and content types (400, 415)', () => {
  const UNSUPPORTED: Expected = [415, 'not-supported'];
  it.each<[string, string | Buffer, Readonly<Record<string, string>>, Expected]>([
    ['no gzip though it says so', text, { 'content-encoding': 'gzip' }, JSON_WRONG],
    ['gzip cut off', gzipSync(text).subarray(0, 60), { 'content-encoding': 'gzip' }, JSON_WRONG],
    ['raw deflate, which HTTP has not', deflateRawSync(text), { 'content-encoding': 'deflate' }, JSON_WRONG],
    ['an unknown encoding', text, { 'content-encoding': 'zstd' }, UNSUPPORTED],
    ['constructor as an encoding', text, { 'content-encoding': 'constructor' }, UNSUPPORTED],
    ['__proto__ as an encoding', text, { 'content-encoding': '__proto__' }, UNSUPPORTED],
    ['gzip twice', gzipSync(gzipSync(text)), { 'content-encoding': 'gzip, gzip' }, UNSUPPORTED],
    ['text/plain', text, { 'content-type': 'text/plain' }, UNSUPPORTED],
    [
      'FHIR XML of another version (REST-05)',
      '<Patient/>',
      { 'content-type': 'application/fhir+xml; fhirVersion=3.0' },
      UNSUPPORTED,
    ],
    ['XHTML', '<Patient/>', { 'content-type': 'application/xhtml+xml' }, UNSUPPORTED],
    ['XML as a word', '<Patient/>', { 'content-type': 'xml' }, UNSUPPORTED],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, UNSUPPORTED],
    ['a file upload', '--x--', { 'content-type': 'multipart/form-data; boundary=x' }, UNSUPPORTED],
    ['Latin-1', text, { 'content-type': 'application/fhir+json; charset=iso-8859-1' }, UNSUPPORTED],
    ['UTF-16', Buffer.from(text, 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }, UNSUPPORTED],
    ['another FHIR version (REST-05)', text, { 'content-type': 'application/fhir+json; fhirVersion=3.0' }, UNSUPPORTED],
    ['no content type', text, { 'content-type': '' }, UNSUPPORTED],
    ['a content type that is none', text, { 'content-type': ';;;' }, UNSUPPORTED],
  ])('%s', async (_what, body, headers, expected) => {
    await post({ body, headers }, expected);
  });
});

describe('what breaks the structure of R4 (400)', () => {
  it.each<[string, object, string | undefined]>([
    ['a list', [good()], undefined],
    ['no resourceType', { name: [{ family: 'A' }] }, 'resourceType'],
    ['a resourceType that is a number', good({ resourceType: 7 }), 'resourceType'],
    ['another resource', { resourceType: 'Observation', status: 'final' }, 'resourceType'],
    ['a resourceType in small letters', good({ resourceType: 'patient' }), 'resourceType'],
    ['names as text', good({ name: 'Anna Okello' }), 'Patient.name'],
    ['names as an object', good({ name: { family: 'A' } }), 'Patient.name'],
    ['a name that is null', good({ name: [null] }), 'Patient.name[0]'],
    ['a family name as a list', good({ name: [{ family: ['A'] }] }), 'Patient.name[0].family'],
    ['given names as text', good({ name: [{ given: 'A' }] }), 'Patient.name[0].given'],
    ['a family name that is empty', good({ name: [{ family: '' }] }), 'Patient.name[0].family'],
    ['active as text', good({ active: 'true' }), 'Patient.active'],
    ['another gender’s code', good({ gender: 'M' }), 'Patient.gender'],
    ['a gender of blanks around', good({ gender: ' male' }), 'Patient.gender'],
    ['a birth date as a number', good({ birthDate: 19900203 }), 'Patient.birthDate'],
    ['a birth date as people write it', good({ birthDate: '03/02/1990' }), 'Patient.birthDate'],
    ['a birth date with a time', good({ birthDate: '1990-02-03T10:00:00Z' }), 'Patient.birthDate'],
    ['a thirteenth month', good({ birthDate: '1990-13' }), 'Patient.birthDate'],
    ['a birth date that is empty', good({ birthDate: '' }), 'Patient.birthDate'],
    ['a time of death without a zone', good({ deceasedDateTime: '2001-01-01T10:00:00' }), 'Patient.deceasedDateTime'],
    ['identifiers as an object', good({ identifier: identifier('openmrs', 'x') }), 'Patient.identifier'],
    [
      'an identifier value as a number',
      good({ identifier: [{ system: systemOf('openmrs'), value: 7 }] }),
      'Patient.identifier[0].value',
    ],
    ['an identifier value that is empty', good({ identifier: [identifier('openmrs', '')] }), 'Patient.identifier[0].value'],
    ['an unknown kind of telecom', good({ telecom: [{ system: 'telephone', value: '1' }] }), 'Patient.telecom[0].system'],
    ['an unknown element', good({ nationality: 'UG' }), 'Patient.nationality'],
    ['an unknown element within', good({ name: [{ family: 'A', middle: 'B' }] }), 'Patient.name[0].middle'],
    ['an unknown element of an odd name', good({ 'a`b ': 1 }), 'Patient.`a\\`b `'],
    ['an extension without a url', good({ extension: [{ valueString: 'A' }] }), 'Patient.extension[0].url'],
    ['an id of 65 characters', good({ id: 'x'.repeat(65) }), 'Patient.id'],
    ['an id with a slash', good({ id: 'a/b' }), 'Patient.id'],
    ['a link to nobody', good({ link: [{ type: 'seealso' }] }), 'Patient.link[0].other'],
  ])('%s', async (_what, body, expression) => {
    await post({ body }, [400, 'structure', expression]);
  });
});

describe('what breaks a rule (422, 403, 409)', () => {
  const RULE = [422, 'business-rule'] as const;
  const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
  it.each<[string, object, Expected]>([
    ['no identifier', good({ identifier: undefined }), [...RULE, 'Patient.identifier']],
    ['a list of no identifiers', good({ identifier: [] }), [...RULE, 'Patient.identifier']],
    ['a national id only', good({ identifier: [{ system: NATIONAL, value: 'N-1' }] }), [...RULE, 'Patient.identifier']],
    [
      'an own identifier without a value',
      good({ identifier: [{ system: systemOf('openmrs') }] }),
      [...RULE, 'Patient.identifier'],
    ],
    ['a value without a system', good({ identifier: [{ value: 'x' }] }), [...RULE, 'Patient.identifier']],
    [
      'an own system in capitals, which is another',
      good({ identifier: [{ system: systemOf('OPENMRS'), value: 'x' }] }),
      [...RULE, 'Patient.identifier'],
    ],
    ['an identifier of blanks', good({ identifier: [identifier('openmrs', '  ')] }), [...RULE, 'Patient.identifier[0].value']],
    [
      'an identifier of another’s domain',
      good({ identifier: [identifier('dhis2', 'x')] }),
      [403, 'forbidden', 'Patient.identifier[0]'],
    ],
    [
      'another’s domain beside the own',
      good({ identifier: [identifier('openmrs', 'x'), identifier('lims', 'x')] }),
      [403, 'forbidden', 'Patient.identifier[1]'],
    ],
    [
      'identifiers of two records',
      good({ identifier: [identifier('openmrs', 'first'), identifier('openmrs', 'second')] }),
      [409, 'conflict', 'Patient.identifier'],
    ],
    [
      'a merge into nobody',
      good({ active: false, link: [{ other: { reference: 'Patient/nobody' }, type: 'replaced-by' }] }),
      [...RULE, 'Patient.link'],
    ],
    ['a part of a Patient', good({ meta: { tag: [subsetted] } }), [...RULE, 'Patient.meta.tag[0]']],
    [
      'a modifier extension',
      good({ modifierExtension: [{ url: 'http://a.example/not', valueBoolean: true }] }),
      [...RULE, 'Patient.modifierExtension'],
    ],
    ['implicit rules', good({ implicitRules: 'http://a.example/rules' }), [...RULE, 'Patient.implicitRules']],
    [
      'an extension with two values',
      good({ extension: [{ url: 'http://a.example', valueString: 'A', valueBoolean: true }] }),
      [...RULE, 'Patient.extension[0]'],
    ],
    ['an extension with nothing', good({ extension: [{ url: 'http://a.example' }] }), [...RULE, 'Patient.extension[0]']],
    ['the thirtieth of February', good({ birthDate: '2001-02-30' }), [...RULE, 'Patient.birthDate']],
    ['the leap day of 1900', good({ birthDate: '1900-02-29' }), [...RULE, 'Patient.birthDate']],
    [
      'a period that ends before it starts',
      good({ name: [{ family: 'A', period: { start: '2001', end: '2000' } }] }),
      [...RULE, 'Patient.name[0].period'],
    ],
    ['dead twice', good({ deceasedBoolean: true, deceasedDateTime: '2001' }), [...RULE, 'Patient.deceasedDateTime']],
    ['a null that stands for nothing', good({ name: [{ given: ['A', null] }] }), [...RULE, 'Patient.name[0].given[1]']],
    [
      'a script in the narrative',
      good({ text: { status: 'generated', div: '<div><script>1</script></div>' } }),
      [...RULE, 'Patient.text.div'],
    ],
    ['a contact of nobody', good({ contact: [{ gender: 'male' }] }), [...RULE, 'Patient.contact[0]']],
    [
      'a contained resource that is referred to',
      good({ managingOrganization: { reference: '#o' } }),
      [...RULE, 'Patient.managingOrganization.reference'],
    ],
    ['a line of 4,001 characters', good({ address: [{ line: ['x'.repeat(4_001)] }] }), [...RULE, 'Patient.address[0].line[0]']],
  ])('%s', async (_what, body, expected) => {
    await post({ body }, expected);
  });
});

describe('whose record it is', () => {
  const put = (id: string, more: object, expected: Expected) =>
    refused('PUT', `/fhir/Patient/${id}`, { body: good({ id, ...more }) }, expected);
  it('an identifier moved from one record to another: 409', () =>
    put(known.id, { identifier: [identifier('openmrs', 'second')] }, [409, 'conflict', 'Patient.identifier']));
  it('the golden record written: 403', () => put(known.golden, {}, [403, 'forbidden']));
  it('another id in the body: 400', () =>
    refused('PUT', `/fhir/Patient/${known.id}`, { body: good({ id: known.other }) }, [400, 'invalid', 'Patient.id']));
  it('somebody else’s record written under its identifier: 403', () =>
    refused(
      'PUT',
      `/fhir/Patient/${known.id}`,
      { body: good({ id: known.id, identifier: [identifier('openmrs', 'first')] }), client: 'lims' },
      [403, 'forbidden', 'Patient.identifier[0]'],
    ));
});

describe('URLs and parameters', () => {
  const BAD: Expected = [400, 'invalid'];
  it.each<[string, string, Expected]>([
    ['GET', '/fhir/Patient', BAD],
    ['GET', '/fhir/Patient?family=', BAD],
    ['GET', '/fhir/Patient?identifier=', BAD],
    ['GET', '/fhir/Patient?identifier=%7C', BAD],
    ['GET', '/fhir/Patient?identifier=a,,b', BAD],
    ['GET', `/fhir/Patient?identifier=${'a,'.repeat(500)}a`, BAD],
    ['GET', '/fhir/Patient?identifier:contains=a', BAD],
    ['GET', '/fhir/Patient?_id=a/b/c', BAD],
    ['GET', '/fhir/Patient?_id=', BAD],
    ['GET', '/fhir/Patient?_id=a&_count=-1', BAD],
    ['GET', '/fhir/Patient?_id=a&_count=1&_count=2', BAD],
    ['GET', '/fhir/Patient?_id=a&_page=next', BAD],
    ['GET', '/fhir/Patient?_id=a&_include=Patient:link:Person', BAD],
    ['GET', '/fhir/Patient/%E0%A4%A', BAD],
    ['GET', `/fhir/Patient/${known.id}/_history?_count=ten`, BAD],
    ['GET', '/fhir/Patient/a%20b', [404, 'not-found']],
    ['GET', '/fhir/Patient/__proto__', [404, 'not-found']],
    ['GET', '/fhir/Patient/constructor', [404, 'not-found']],
    ['GET', '/fhir/Patient/..%2F..%2Fetc%2Fpasswd', [404, 'not-found']],
    ['GET', `/fhir/Patient/${known.id}'%20OR%201=1`, [404, 'not-found']],
    ['GET', `/fhir/Patient/${known.id}/_history/0`, [404, 'not-found']],
    ['GET', `/fhir/Patient/${known.id}/_history/2`, [404, 'not-found']],
    ['GET', `/fhir/Patient/${known.id}/_history/1e0`, [404, 'not-found']],
    ['GET', '/fhir/../fhir/Patient/x', [404, 'not-found']],
    ['POST', '/fhir/Observation', [404, 'not-found']],
    ['PUT', `/fhir/Patient/${'x'.repeat(65)}`, BAD],
    ['PUT', '/fhir/Patient/a_b', BAD],
    ['PUT', '/fhir/Patient/..', BAD],
    ['PUT', '/fhir/Patient/%2e', BAD],
    ['PUT', '/fhir/Patient', BAD],
    ['DELETE', '/fhir/Patient', [400, 'invalid']],
    ['DELETE', '/fhir/Patient/a_b', [400, 'invalid']],
    ['DELETE', '/fhir/Patient?identifier=a%7Cb', [400, 'invalid', 'Patient.identifier']],
    ['DELETE', '/fhir/Patient?family=Auma', [400, 'invalid']],
    ['PATCH', `/fhir/Patient/${known.id}`, [405, 'not-supported']],
    ['POST', '/fhir/Patient/_search', [415, 'not-supported']],
    ['GET', '/fhir/Patient?family:text=a', BAD],
    ['GET', '/fhir/Patient?link.family=a', BAD],
    ['GET', '/fhir/Patient?deceased=perhaps', BAD],
    ['GET', '/fhir/Patient?organization.name=a', BAD],
  ])('%s %s', async (method, path, expected) => {
    await refused(method, path, method === 'GET' ? {} : { body: good() }, expected);
  });
});
