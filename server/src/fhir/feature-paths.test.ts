import fc from 'fast-check';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { describe, expect, it } from 'vitest';
import { checkPath, compilePaths } from './feature-paths.ts';
import { walkedPath } from './walked-paths.ts';
import type { Patient } from './r4.ts';
import { anna } from './sample-patients.ts';

const valuesOf = (path: string, patient: Patient = anna): readonly string[] | undefined => compilePaths([path])(patient)[0];

describe('a decision rule’s path finds', () => {
  it.each([
    ["name.where(use='official').last().given", ['Namaalwa', 'Emmanuel']],
    ['Patient.name.family', ['Gideon']],
    ["identifier.where(system='http://system1.org').value", ['12349']],
    ['active', ['true']],
    ["telecom.where(system='phone').value.replace(' ', '')", ['774232423']],
    ['birthDate.toString().substring(0, 4)', ['1974']],
    ['name.given.count()', ['2']],
    ['name', []],
    ['address.city', []],
  ])('%s: %j', (path, values) => {
    expect(checkPath(path)).toBeUndefined();
    expect(valuesOf(path)).toEqual(values);
  });

  it('what a choice of types holds, as text; quantities are left out', () => {
    const extension = [
      { url: 'urn:a', valueString: 'x' },
      { url: 'urn:b', valueDecimal: 1.5 },
      { url: 'urn:c', valueQuantity: { value: 1, unit: 'kg' } },
    ];
    const patient = { ...anna, extension, multipleBirthInteger: 2 };
    expect(compilePaths(['extension.value', "extension.where(url='urn:a').valueString", 'multipleBirth'])(patient)).toEqual([
      ['x', '1.5'],
      ['x'],
      ['2'],
    ]);
  });

  it('nothing where odd data make the expression fail', () => {
    expect(valuesOf('name.given.single()')).toEqual([]);
    expect(valuesOf('name.family.substring(name.given)')).toEqual([]);
  });

  it('the same again, and leaves the Patient as it was', () => {
    const before = structuredClone(anna);
    const extract = compilePaths(["name.where(use='official').given", 'birthDate', 'identifier.value']);
    expect(extract(anna)).toEqual(extract(anna));
    expect(anna).toEqual(before);
  });
});

describe('the fast lane equals the engine', () => {
  const text = fc.option(fc.string({ minLength: 1 }), { nil: undefined });
  const texts = fc.option(fc.array(fc.option(fc.string({ minLength: 1 })), { maxLength: 3 }), { nil: undefined });
  const shadow = fc.option(fc.constant({ extension: [{ url: 'urn:x', valueString: 'shadow' }] }), { nil: undefined });
  const period = fc.record({ start: fc.constantFrom('2001', '2001-05', '2001-05-06') });
  const list = <T>(element: fc.Arbitrary<T>) => fc.option(fc.array(element, { maxLength: 3 }), { nil: undefined });
  const patients = fc.record({
    resourceType: fc.constant('Patient' as const),
    active: fc.option(fc.boolean(), { nil: undefined }),
    gender: fc.option(fc.constantFrom('male', 'female'), { nil: undefined }),
    birthDate: fc.option(fc.constantFrom('1974', '1974-12', '1974-12-25'), { nil: undefined }),
    _birthDate: shadow,
    name: list(
      fc.record({ use: fc.constantFrom('official', 'usual'), family: text, _family: shadow, given: texts, text, period }),
    ),
    identifier: list(
      fc.record({
        system: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
        value: text,
        period,
        type: fc.record({ text }),
      }),
    ),
    telecom: list(fc.record({ system: fc.constantFrom('phone', 'email'), value: text, rank: fc.integer({ min: 1, max: 9 }) })),
    address: list(fc.record({ line: texts, city: text, postalCode: text })),
  });
  const plain =
    'gender birthDate active Patient.gender name.family name.given name.text name.use name.period.start identifier.value identifier.system identifier.type.text telecom.value telecom.rank address.line address.city address.postalCode Patient.name.family';
  const paths = [
    ...plain.split(' '),
    "name.where(use='official').given",
    "name.where(use='official').last().family",
    "Patient.name.where(use = 'usual').first().given",
    'name.last().given',
    'identifier.first().value',
    "identifier.where(system='a').value",
    "telecom.where(system='phone').value",
    "telecom.where(system='email').value",
    "iif(name.where(use='official').exists(), name.where(use='official').last(), name.last()).given",
    "iif(name.where(use='usual').exists(), name.where(use='usual').family, name.text)",
  ];

  it('takes all of these', () => {
    expect(paths.filter((path) => walkedPath(path) === undefined)).toEqual([]);
  });

  it.each([
    'name',
    "name.where(use='official')",
    'name.given.first()',
    "name.where(given='a').exists()",
    "name.where(use='it''s').given",
    'name.single().given',
    'iif(name.exists(), name, identifier).value',
    'iif(active, name.given, name.family)',
    'name.given | name.family',
    'name.',
    'name..given',
    'extension.value',
  ])('leaves %s to the engine', (path) => {
    expect(walkedPath(path)).toBeUndefined();
  });

  it('for any plain path and any Patient', () => {
    const engine = paths.map((path) => fhirpath.compile(path, r4));
    fc.assert(
      fc.property(patients, (patient) => {
        // What JSON can hold: no undefined.
        const submitted = JSON.parse(JSON.stringify(patient)) as Patient;
        const expected = engine.map((evaluate) => [evaluate(submitted)].flat().map(String));
        expect(compilePaths(paths)(submitted)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a path in a decision rule is refused, with words, when', () => {
  it.each([
    ['it is no FHIRPath', 'name.given(', /mismatched|missing|extraneous/],
    ['it misspells a function', 'name.given.frist()', /frist/],
    ['it misspells an element', 'name.familie', /HumanName\.familie is not an element/],
    ['it misspells an element before a function', "nmae.where(use='official').given", /Patient\.nmae/],
    ['it asks the clock', 'today()', /depends on more than the Patient/],
    ['it asks another server', 'managingOrganization.resolve().name', /resolve\(\) depends/],
    ['it would write to the log', "name.family.trace('x')", /trace\(\) depends/],
  ])('%s', (_why, path, words) => {
    expect(checkPath(path)).toMatch(words);
  });

  it.each([
    "identifier.where(system='today()').value",
    'contact.name.family',
    'name.extension.url',
    'deceased',
    'managingOrganization.display',
    'name.given | name.family',
  ])('not when it is %s', (path) => {
    expect(checkPath(path)).toBeUndefined();
  });
});
