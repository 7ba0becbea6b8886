import { describe, expect, it } from 'vitest';
import { anna } from './sample-patients.ts';
import { type Mode, refuseOtherType, validatePatient } from './validate.ts';

const known = { url: 'http://a.b/c', valueString: 'x' };
const own = { system: 'http://clientregistry.org/openmrs', value: '1' };
const given = (values: readonly unknown[], extensions: readonly unknown[] | undefined): object => ({
  name: [{ given: values, ...(extensions && { _given: extensions }) }],
});

/** `code expression` of a refusal's issues, or `warning expression` of what was accepted with remarks. */
const verdict = (value: unknown, mode: Mode = 'open'): readonly string[] => {
  const outcome = validatePatient(value, mode);
  return 'code' in outcome
    ? outcome.issues.map((issue) => `${outcome.code} ${issue.expression}`)
    : outcome.warnings.map((issue) => `${issue.severity} ${issue.expression}`);
};

it('what the package of the definitions adds to R4 is no element', () => {
  expect(verdict({ ...anna, meta: { project: 'x' } })).toEqual(['invalid-structure Patient.meta.project']);
});

describe('a Patient is taken in', () => {
  it('as submitted by the mission’s systems, without remarks in either mode', () => {
    expect(validatePatient(anna, 'open')).toEqual({ patient: anna, warnings: [] });
    expect(verdict(anna, 'strict')).toEqual([]);
  });

  it.each([
    ['names of any script and blank', { name: [{ family: 'ተፈራ\u3000山田', given: ['ǃXóõ\u00a0’Ab'] }] }],
    ['partial dates', { birthDate: '1974-12', name: [{ period: { start: '2001-05', end: '2001-05-06' } }] }],
    [
      'two times in order, though their texts are not',
      { name: [{ period: { start: '2001-01-01T10:00:00+03:00', end: '2001-01-01T09:30:00Z' } }] },
    ],
    ['29 February of a leap year', { birthDate: '2000-02-29' }],
    ['null where an extension stands for a given name', given(['A', null], [null, { extension: [known] }])],
    [
      'a complex extension, whose parts have plain names',
      { extension: [{ url: 'http://a.b/c', extension: [{ url: 'part', valueCode: 'x' }] }] },
    ],
    [
      'contained resources, which are looked at by nobody',
      { contained: [{ resourceType: 'Provenance', id: 'p', anything: [] }] },
    ],
    ['a narrative', { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Anna on = 3</div>' } }],
  ])('with %s', (_what, part) => {
    expect(verdict({ ...anna, ...part })).toEqual([]);
  });
});

describe('REST-32: what breaks the structure of R4 is refused with 400 and names the element', () => {
  it.each([
    [{ name: { family: 'A' } }, 'Patient.name'],
    [{ name: [{ family: 5 }] }, 'Patient.name[0].family'],
    [{ name: [{ given: 'A' }] }, 'Patient.name[0].given'],
    [{ name: [{ given: ['A', 5] }] }, 'Patient.name[0].given[1]'],
    [{ name: [{ familie: 'A' }] }, 'Patient.name[0].familie'],
    [{ name: [{ family: '' }] }, 'Patient.name[0].family'],
    [{ name: [null] }, 'Patient.name[0]'],
    [{ gender: 'xx' }, 'Patient.gender'],
    [{ gender: null }, 'Patient.gender'],
    [{ active: 'true' }, 'Patient.active'],
    [{ birthDate: '1990-13-45' }, 'Patient.birthDate'],
    [{ birthDate: '12/25/1974' }, 'Patient.birthDate'],
    [{ birthDate: 19741225 }, 'Patient.birthDate'],
    [{ deceasedDateTime: '2020-01-01T25:00:00Z' }, 'Patient.deceasedDateTime'],
    [{ multipleBirthInteger: 1.5 }, 'Patient.multipleBirthInteger'],
    [{ telecom: [{ system: 'telephone' }] }, 'Patient.telecom[0].system'],
    [{ telecom: [{ rank: 0 }] }, 'Patient.telecom[0].rank'],
    [{ id: 'Patient/1' }, 'Patient.id'],
    [{ link: [{ other: { reference: 'Patient/1' } }] }, 'Patient.link[0].type'],
    [{ extension: [{ valueString: 'x' }] }, 'Patient.extension[0].url'],
    [{ communication: [{ preferred: true }] }, 'Patient.communication[0].language'],
    [{ text: { div: '<div>x</div>' } }, 'Patient.text.status'],
    [{ contained: [{ id: 'x' }] }, 'Patient.contained[0].resourceType'],
    [{ 'odd name': 1 }, 'Patient.`odd name`'],
    [{ _birthDate: { extension: [{}] } }, 'Patient.birthDate.extension[0].url'],
  ])('%j', (part, expression) => {
    expect(verdict({ ...anna, ...part })).toEqual([`invalid-structure ${expression}`]);
    expect(verdict({ ...anna, ...part }, 'strict')).toEqual([`invalid-structure ${expression}`]);
  });

  it('says it in plain words', () => {
    const outcome = validatePatient({ ...anna, gender: 'xx', name: 'Anna' }, 'open');
    expect(outcome).toMatchObject({
      issues: [
        { diagnostics: 'Must be a list.', expression: 'Patient.name' },
        { diagnostics: 'Must be one of: male, female, other, unknown.', expression: 'Patient.gender' },
      ],
    });
  });

  it('with at most 20 issues, each once', () => {
    const outcome = validatePatient({ ...anna, name: Array.from({ length: 100 }, () => ({ family: 1 })) }, 'open');
    expect('issues' in outcome && outcome.issues.length).toBe(20);
  });

  it.each([null, 5, 'Patient', [], [anna]])('REST-36: %j is no resource', (value) => {
    expect(validatePatient(value, 'open')).toHaveProperty('code', 'invalid-structure');
  });

  it('REST-36: a resource that is not kept here is named, hostile names are not repeated', () => {
    expect(refuseOtherType({ resourceType: 'Encounter' })?.issues[0]?.diagnostics).toContain('got Encounter');
    expect(refuseOtherType({ resourceType: '<script>' })?.issues[0]?.diagnostics).toContain('got something else');
    expect(refuseOtherType({})?.issues[0]?.expression).toBe('resourceType');
  });
});

describe('REST-32: what breaks a rule is refused with 422 and names the element', () => {
  it.each([
    ['a day that does not exist', { birthDate: '1990-02-30' }, 'Patient.birthDate'],
    ['29 February of 1900', { birthDate: '1900-02-29' }, 'Patient.birthDate'],
    [
      '31 April in an identifier’s period',
      { identifier: [{ ...own, period: { start: '2001-04-31' } }] },
      'Patient.identifier[0].period.start',
    ],
    [
      'per-1: a period that ends first',
      { identifier: [{ ...own, period: { start: '2002-01-01', end: '2001' } }] },
      'Patient.identifier[0].period',
    ],
    [
      'per-1: two times, compared across time zones',
      { name: [{ period: { start: '2001-01-01T10:00:00+01:00', end: '2001-01-01T09:30:00+02:00' } }] },
      'Patient.name[0].period',
    ],
    ['ext-1: neither value nor extensions', { extension: [{ url: 'http://a.b/c' }] }, 'Patient.extension[0]'],
    ['ext-1: both', { extension: [{ ...known, extension: [known] }] }, 'Patient.extension[0]'],
    ['two values of one extension', { extension: [{ ...known, valueCode: 'x' }] }, 'Patient.extension[0]'],
    ['PIX-104-22: a modifier extension', { modifierExtension: [known] }, 'Patient.modifierExtension'],
    ['unknown implicit rules', { implicitRules: 'http://a.b/c' }, 'Patient.implicitRules'],
    ['pat-1: a contact without anything', { contact: [{ gender: 'male' }] }, 'Patient.contact[0]'],
    ['two kinds of death', { deceasedBoolean: true, deceasedDateTime: '2020' }, 'Patient.deceasedDateTime'],
    ['two kinds of multiple birth', { multipleBirthBoolean: true, multipleBirthInteger: 2 }, 'Patient.multipleBirthInteger'],
    ['null without an extension beside it', given(['A', null], undefined), 'Patient.name[0].given[1]'],
    ['a blank identifier', { identifier: [{ ...own, value: ' ' }] }, 'Patient.identifier[0].value'],
    ['4,001 characters', { name: [{ family: 'x'.repeat(4_001) }] }, 'Patient.name[0].family'],
    ['101 names', { name: Array.from({ length: 101 }, () => ({ family: 'A' })) }, 'Patient.name'],
    [
      'a script in the narrative',
      { text: { status: 'generated', div: '<div><a onclick="x()">A</a></div>' } },
      'Patient.text.div',
    ],
    [
      'a script in the narrative, set off by a slash',
      { text: { status: 'generated', div: '<div><img src="x"/onerror="x()"/></div>' } },
      'Patient.text.div',
    ],
    ['a narrative that is no div', { text: { status: 'generated', div: 'Anna' } }, 'Patient.text.div'],
    [
      'a reference to a contained resource',
      { managingOrganization: { reference: '#o' } },
      'Patient.managingOrganization.reference',
    ],
  ])('%s', (_what, part, expression) => {
    expect(verdict({ ...anna, ...part })).toEqual([`business-rule ${expression}`]);
  });
});

describe('D15: what is odd is a warning in open mode and 422 in strict mode', () => {
  it.each([
    [
      'an extension url that is not absolute',
      { extension: [{ url: 'birthPlace', valueString: 'x' }] },
      'Patient.extension[0].url',
    ],
    ['a system that is no URI', { identifier: [{ ...own, system: 'my system' }] }, 'Patient.identifier[0].system'],
    ['a code with blanks around it', { language: ' en ' }, 'Patient.language'],
    ['an empty list', { telecom: [] }, 'Patient.telecom'],
    ['an empty object', { name: [{}] }, 'Patient.name[0]'],
    ['D16: an identifier without a system', { identifier: [{ value: '1' }] }, 'Patient.identifier[0]'],
    ['an identifier without a value', { identifier: [{ system: 'urn:a' }] }, 'Patient.identifier[0]'],
  ])('%s', (_what, part, expression) => {
    expect(verdict({ ...anna, ...part }, 'open')).toEqual([`warning ${expression}`]);
    expect(verdict({ ...anna, ...part }, 'strict')).toEqual([`business-rule ${expression}`]);
  });
});

it('a Patient made to be slow costs less than a second', () => {
  const began = performance.now();
  validatePatient(
    { ...anna, language: `a${' a'.repeat(200_000)}  b`, text: { status: 'generated', div: `<div ${'<'.repeat(60_000)}` } },
    'open',
  );
  validatePatient({ ...anna, extension: [{ url: 'http://a.b/c', valueBase64Binary: `AAAA${' '.repeat(200_000)}!` }] }, 'open');
  validatePatient({ ...anna, name: [{ family: 'x'.repeat(1_000_000) }] }, 'open');
  validatePatient({ ...anna, name: Array.from({ length: 200_000 }, () => null) }, 'open');
  const wrong = Array.from({ length: 100 }, () => 1);
  validatePatient({ ...anna, name: wrong.map(() => ({ given: wrong, prefix: wrong, suffix: wrong })) }, 'open');
  validatePatient({ ...anna, text: { status: 'generated', div: `<div><${' '.repeat(65_000)}` } }, 'open');
  expect(performance.now() - began).toBeLessThan(1_000);
});
