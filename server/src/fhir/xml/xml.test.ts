/** FHIR XML against JSON: the same resource both ways, by an independent implementation (npm `fhir`), and what is refused. */
import fc from 'fast-check';
import { Fhir } from 'fhir';
import { describe, expect, it } from 'vitest';
import { capabilityStatement, patientCapability } from '../capability.ts';
import { defaultBodyLimits } from '../limits.ts';
import { operationOutcome } from '../outcome.ts';
import { refuse } from '../refusal.ts';
import { isRefusal } from '../refusal.ts';
import { anna } from '../sample-patients.ts';
import { validatePatient } from '../validate.ts';
import { parseXml } from './parse-xml.ts';
import { writeXml } from './write-xml.ts';

const read = (xml: string): unknown => {
  const parsed = parseXml(xml, defaultBodyLimits);
  return isRefusal(parsed) ? parsed : parsed.value;
};
const patient = (inside: string): string => `<Patient xmlns="http://hl7.org/fhir">${inside}</Patient>`;
const DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">Anna &amp; <b>Ben</b><br/></p></div>';

const everything = {
  ...anna,
  id: 'a.1',
  meta: {
    versionId: '3',
    lastUpdated: '2026-01-01T00:00:00.000Z',
    tag: [{ system: 'http://a.example/t', code: 'x', userSelected: true }],
  },
  language: 'en',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">Anna &amp; <b>Ben</b></p></div>' },
  contained: [{ resourceType: 'Organization', id: 'o1', name: 'Clinic "A" <B>' }],
  extension: [
    {
      url: 'http://a.example/complex',
      extension: [
        { url: 'a', valueDecimal: 1.25 },
        { url: 'b', valueBoolean: false },
      ],
    },
    { url: 'http://a.example/period', valuePeriod: { start: '2020-01-01' } },
    { url: 'Communal section', valueString: 'with\nbreaks\tand "quotes" & <angles>' },
  ],
  name: [
    {
      id: 'n1',
      use: 'official',
      family: 'Gideon',
      _family: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/humanname-own-name', valueString: 'G' }] },
      given: ['Namaalwa', null, 'Emmanuel'],
      _given: [
        null,
        { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }] },
        null,
      ],
    },
  ],
  _birthDate: { id: 'b1' },
  multipleBirthInteger: 2,
  contact: [{ relationship: [{ text: 'mother' }], name: { family: 'ንጉሥ 👩' }, organization: { display: 'here' } }],
  link: [{ other: { identifier: { system: 'http://a.example', value: '7' } }, type: 'replaced-by' }],
};

describe('FHIR XML', () => {
  it('says what JSON says, both ways (REST-02)', () => {
    expect(read(writeXml(everything))).toEqual(everything);
  });

  it.each<readonly [string, object]>([
    ['a Patient', everything],
    ['an outcome', operationOutcome(refuse('not-found', 'Nobody <here>.', 'Patient.name[0]'))],
    [
      'a capability statement',
      capabilityStatement({
        base: 'https://a/fhir',
        version: '2',
        date: '2026-01-01',
        resources: [patientCapability],
        system: ['batch'],
        doors: { tokens: true, passwords: true },
      }),
    ],
    [
      'parameters',
      {
        resourceType: 'Parameters',
        parameter: [
          { name: 'resource', resource: anna },
          { name: 'count', valueInteger: 3 },
        ],
      },
    ],
    [
      'a searchset',
      {
        resourceType: 'Bundle',
        type: 'searchset',
        total: 1,
        link: [{ relation: 'self', url: 'https://a/fhir/Patient?a=b&c=d' }],
        entry: [{ fullUrl: 'https://a/fhir/Patient/1', resource: anna, search: { mode: 'match', score: 0.5 } }],
      },
    ],
    [
      'an entry that was refused',
      {
        resourceType: 'Bundle',
        type: 'batch-response',
        entry: [{ response: { status: '422', outcome: operationOutcome(refuse('business-rule', 'No.', 'Patient.name')) } }],
      },
    ],
  ])('of %s is what npm fhir makes of it, and reads as npm fhir reads it', (_what, of) => {
    // What npm fhir does not do: escape line breaks in attributes, read decimals as numbers.
    const resource = JSON.parse(
      JSON.stringify(of)
        .replaceAll('\\n', ' ')
        .replaceAll('\\t', ' ')
        .replaceAll(/(?<=":)\d+\.\d+/g, '1'),
    ) as object;
    const other = new Fhir();
    expect(read(other.objToXml(resource))).toEqual(resource);
    expect(read(writeXml(resource))).toEqual(resource);
    const back = JSON.parse(
      JSON.stringify(other.xmlToObj(writeXml(resource))).replaceAll(/(?<="(?:score|valueDecimal)":)"1"/g, '1'),
    ) as object;
    // It drops the nulls that keep a list and its extensions in step.
    expect({ ...back, name: null }).toEqual({ ...resource, name: null });
  });

  it('REST-11: is indented on demand, a line for each element, and says the same; blanks within the narrative stay as they are', () => {
    const div = '<div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b>\n <i> c</i></div>';
    const searchset = {
      resourceType: 'Bundle',
      type: 'searchset',
      entry: [{ resource: { ...everything, text: { status: 'generated', div } }, search: { mode: 'match' } }],
    };
    const pretty = writeXml(searchset, true);
    expect(read(pretty)).toEqual(searchset);
    expect(pretty).toContain(`\n          ${div}\n`);
    expect(pretty.replace(div, '').split('\n').slice(0, 6)).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<Bundle xmlns="http://hl7.org/fhir">',
      '  <type value="searchset"/>',
      '  <entry>',
      '    <resource>',
      '      <Patient>',
    ]);
    const [declaration, ...lines] = pretty.replace(div, 'DIV').split('\n');
    expect(lines.filter((line) => /<.*<(?!\/)/.test(line))).toEqual([]);
    expect(`${declaration}\n${lines.map((line) => line.trim()).join('')}`.replace('DIV', div)).toBe(writeXml(searchset));
  });

  it('has the elements in the order of the definitions, whatever their order in JSON', () => {
    const { birthDate, name, ...rest } = anna;
    const xml = writeXml({ birthDate, name, ...rest });
    expect(xml).toBe(writeXml(anna));
    expect([...xml.matchAll(/<(identifier|name|gender|birthDate)\b/g)].map(([, one]) => one)).toEqual([
      'identifier',
      'identifier',
      'name',
      'gender',
      'birthDate',
    ]);
  });

  it('may have prefixes, comments, CDATA in the narrative, a declaration, and any order', () => {
    const xml = `<?xml version="1.0" encoding="utf-8"?><!-- x --><f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">
      <f:birthDate value="1974-12-25"/><f:text><f:status value="generated"/><h:div>a<![CDATA[<b>]]></h:div></f:text><f:active value="true"/></f:Patient>`;
    expect(read(xml)).toEqual({
      resourceType: 'Patient',
      birthDate: '1974-12-25',
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">a&lt;b&gt;</div>' },
      active: true,
    });
  });

  it('that is of a resource which the registry does not keep says only which', () => {
    expect(read('<Observation xmlns="http://hl7.org/fhir"><status value="final"/><a b="c">d</a></Observation>')).toEqual({
      resourceType: 'Observation',
    });
    const contained = patient('<contained><Provenance><recorded value="x"/></Provenance></contained><gender value="male"/>');
    expect(read(contained)).toEqual({ resourceType: 'Patient', contained: [{ resourceType: 'Provenance' }], gender: 'male' });
  });

  it('with values that are none of their type is read, and refused as JSON is', () => {
    const value = read(patient('<active value="yes"/><birthDate value="x"/><multipleBirthInteger value="1.5"/>'));
    expect(value).toEqual({ resourceType: 'Patient', active: 'yes', birthDate: 'x', multipleBirthInteger: '1.5' });
    const refused = validatePatient(value, 'open');
    expect(isRefusal(refused) && refused.issues.map(({ expression }) => expression)).toContain('Patient.active');
  });

  it('does not write a narrative that is no XHTML', () => {
    for (const div of [
      '<div>no namespace</div>',
      '<div xmlns="http://www.w3.org/1999/xhtml">',
      `${DIV}${DIV}`,
      `${DIV}x`,
      '',
      'text',
    ])
      expect(writeXml({ ...anna, text: { status: 'generated', div } })).not.toContain('<div');
    expect(writeXml({ ...anna, text: { status: 'generated', div: DIV } })).toContain(DIV);
  });
});

describe('XML is refused (400)', () => {
  it.each([
    ['what is not well-formed', '<Patient xmlns="http://hl7.org/fhir">', undefined],
    ['two roots', `${patient('')}${patient('')}`, undefined],
    ['an entity', patient('<gender value="&lol;"/>'), undefined],
    ['a document type', `<!DOCTYPE Patient [<!ENTITY a "b">]>${patient('')}`, undefined],
    ['another encoding', `<?xml version="1.0" encoding="latin1"?>${patient('')}`, undefined],
    ['another namespace', '<Patient xmlns="http://a.example"/>', 'Patient'],
    ['no namespace', '<Patient/>', 'Patient'],
    ['an element that R4 does not have', patient('<nickname value="x"/>'), 'Patient.nickname'],
    [
      'an element that the package of the definitions adds to R4',
      patient('<meta><project value="x"/></meta>'),
      'Patient.meta.project',
    ],
    ['an element of another namespace', patient('<gender xmlns="http://a.example" value="male"/>'), 'Patient.gender'],
    ['an attribute that R4 does not have', patient('<gender valu="male"/>'), 'Patient.gender'],
    ['a value where none is', patient('<name value="x"/>'), 'Patient.name[0]'],
    ['an element given twice', patient('<gender value="male"/><gender value="female"/>'), 'Patient.gender'],
    ['an empty primitive', patient('<name><given value="a"/><given/></name>'), 'Patient.name[0].given[1]'],
    ['text between elements', patient('<name>Anna</name>'), 'Patient.name[0]'],
    ['two resources in one place', patient('<contained><Organization/><Organization/></contained>'), 'Patient.contained[0]'],
    ['no resource where one is', patient('<contained/>'), 'Patient.contained[0]'],
    ['a narrative of no XHTML', patient('<text><status value="generated"/><div>x</div></text>'), 'Patient.text.div'],
    [
      'the url of an extension as an element',
      patient('<extension><url value="http://a"/></extension>'),
      'Patient.extension[0].url',
    ],
  ])('%s', (_what, xml, expression) => {
    expect(read(xml)).toMatchObject({ code: 'invalid-structure', issues: [expression === undefined ? {} : { expression }] });
  });

  it.each([
    ['too deep', patient(`${'<extension url="a">'.repeat(100)}${'</extension>'.repeat(100)}`)],
    [
      'a narrative that is too deep',
      patient(`<text><div xmlns="http://www.w3.org/1999/xhtml">${'<p>'.repeat(100)}${'</p>'.repeat(100)}</div></text>`),
    ],
    ['too many', patient('<name/>'.repeat(200_001))],
    ['too long', patient(`<gender value="${'x'.repeat(1_048_577)}"/>`)],
  ])('what is %s (413)', (_what, xml) => {
    expect(read(xml)).toMatchObject({ code: 'too-large' });
  });

  it('whatever is changed in it: it is read or refused, never a failure', () => {
    const xml = writeXml(everything);
    const change = fc.record({
      at: fc.nat(xml.length - 1),
      cut: fc.nat(12),
      put: fc.oneof(fc.string(), fc.constantFrom('<', '>', '"', '&', '<a>', '</name>', 'xmlns=""')),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const text = changes.reduce((before, { at, cut, put }) => before.slice(0, at) + put + before.slice(at + cut), xml);
        expect(read(text)).toBeTypeOf('object');
      }),
      { numRuns: 2_000 },
    );
  });

  it('nothing of what JSON may say is lost on the way', () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((one) => !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(one));
    const name = fc.record({ family: text, given: fc.array(text, { minLength: 1, maxLength: 3 }) });
    const extension = fc.record({ url: text, valueDecimal: fc.double({ noNaN: true, noDefaultInfinity: true }) });
    const resource = fc.record({
      resourceType: fc.constant('Patient'),
      active: fc.boolean(),
      name: fc.array(name, { minLength: 1 }),
      extension: fc.array(extension, { minLength: 1 }),
    });
    fc.assert(
      fc.property(resource, (one) => {
        expect(read(writeXml(one))).toEqual(JSON.parse(JSON.stringify(one)));
      }),
      { numRuns: 500 },
    );
  });
});
