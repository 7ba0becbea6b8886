import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditionalIdentifier } from './conditional.ts';
import { defaultSearchOptions, parseSearch, type PatientSearch } from './search.ts';
import { searchset } from './searchset.ts';
import { anna } from './sample-patients.ts';
import { identifierToken, splitUnescaped, unescape } from './tokens.ts';

const search = (query: string): PatientSearch => {
  const parsed = parseSearch(new URLSearchParams(query));
  if ('code' in parsed) throw new Error(parsed.issues[0]?.diagnostics);
  return parsed;
};
const refused = (query: string, strict = false): boolean =>
  'code' in parseSearch(new URLSearchParams(query), { ...defaultSearchOptions, strict });

describe('a Patient search', () => {
  it.each([
    ['identifier=12', [[{ system: null, value: '12' }]]],
    ['identifier=urn:s|12', [[{ system: 'urn:s', value: '12' }]]],
    ['identifier=|12', [[{ system: '', value: '12' }]]],
    ['identifier=urn:s|', [[{ system: 'urn:s', value: null }]]],
    ['identifier=urn:s%7C12', [[{ system: 'urn:s', value: '12' }]]],
    ['identifier=http://src.org|Patient/1', [[{ system: 'http://src.org', value: 'Patient/1' }]]],
    ['identifier=urn:s|a|b', [[{ system: 'urn:s', value: 'a|b' }]]],
  ])('SRCH-09: understands the token %s', (query, identifiers) => {
    expect(search(query).identifiers).toEqual(identifiers);
  });

  it('SRCH-13: takes an escaped comma, bar, dollar and backslash as the character itself', () => {
    expect(search(String.raw`identifier=urn:s|a\,b\|c\$d\\`).identifiers).toEqual([
      [{ system: 'urn:s', value: String.raw`a,b|c$d\ `.trim() }],
    ]);
  });

  it('SRCH-13: finds any value again that was escaped', () => {
    const escape = (text: string): string => text.replace(/[\\,|$]/g, '\\$&');
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (values) => {
        expect(splitUnescaped(values.map(escape).join(','), ',').map(unescape)).toEqual(values);
        for (const value of values) expect(identifierToken(`urn:s|${escape(value)}`)).toEqual({ system: 'urn:s', value });
      }),
    );
  });

  it('SRCH-14: repeats are ANDed, commas ORed', () => {
    const parsed = search('identifier=a|1,b|2&identifier=c|3&_id=x,y');
    expect(parsed.identifiers.map((list) => list.length)).toEqual([2, 1]);
    expect(parsed.ids).toEqual([['x', 'y']]);
  });

  it('SRCH-16: takes ids with and without the type', () => {
    expect(search('_id=Patient/a,b,Patient/c-1.2').ids).toEqual([['a', 'b', 'c-1.2']]);
  });

  it('SRCH-04: counts at most the server’s maximum; 0 asks for the total', () => {
    expect(search('').count).toBe(defaultSearchOptions.defaultCount);
    expect(search('_count=0').count).toBe(0);
    expect(search('_count=999999').count).toBe(defaultSearchOptions.maxCount);
  });

  it('SRCH-07: includes links', () => {
    const included = (query: string) => {
      const { include, revInclude } = search(`_id=a&${query}`);
      return [include, revInclude];
    };
    expect(included('')).toEqual(['none', false]);
    for (const query of ['_include=Patient:link', '_include=Patient:link:Patient', '_include=*'])
      expect(included(query)).toEqual(['links', false]);
    for (const query of ['_include:iterate=Patient:link', '_include:recurse=Patient:link&_include=Patient:link'])
      expect(included(query)).toEqual(['iterate', false]);
    expect(included('_revinclude=Patient:link')).toEqual(['none', true]);
    expect(included('_revinclude=RelatedPerson:patient&_include=Patient:organization')).toEqual(['none', false]);
    const beside = (query: string) => {
      const { follow, related } = search(`_id=a&${query}`);
      return [follow, related];
    };
    expect(beside('_revinclude=RelatedPerson:patient&_include=Patient:organization')).toEqual([['managingOrganization'], true]);
    expect(beside('_include=*')).toEqual([['managingOrganization', 'generalPractitioner'], false]);
    expect(beside('_revinclude=Patient:link&_include=Patient:link')).toEqual([[], false]);
  });

  it.each([
    'identifier=',
    'identifier=a,',
    'identifier=|',
    '_id=',
    '_id=a b',
    '_id=Person/a',
    '_count=-1',
    '_count=x',
    '_count=1&_count=2',
    '_id:not=a',
    'identifier:missing=maybe',
    'identifier:of-type=a|b',
    'identifier:above=a',
    'link:RelatedPerson=a',
    'link.family=a',
    'link=a b',
    'organization.name=a',
    'organization=',
    'active=yes',
    'deceased=never',
    '_profile:above=a',
    `${'_id=a&'.repeat(100)}_id=a`,
    '_page=',
  ])('SRCH-15: refuses the known parameter with a bad value or a modifier: %s', (query) => {
    expect(refused(query)).toBe(true);
  });

  it('SRCH-15, REST-07: ignores what it does not know, and says so by the self link; strict handling refuses it', () => {
    const query = '_id=a&birthplace=x&constructor=1&_format=json&_include=Patient:encounter&_text=a';
    expect(search(query).used).toEqual([['_id', 'a']]);
    expect(search(query).ignored).toEqual(['birthplace', 'constructor', '_include', '_text']);
    expect(refused('birthplace=x', true)).toBe(true);
    expect(refused('_include=Patient:encounter', true)).toBe(true);
    expect(refused('_id=a&_format=json&_pretty=true', true)).toBe(false);
  });
});

describe('what links name', () => {
  const base = 'https://cr.example.org/fhir';
  const links = (query: string) => {
    const parsed = parseSearch(new URLSearchParams(query), { ...defaultSearchOptions, base });
    if ('code' in parsed) throw new Error(parsed.issues[0]?.diagnostics);
    return parsed.links;
  };
  const id = (text: string) => [[{ kind: 'id', id: text }]];

  it.each([
    ['link=G1', id('G1')],
    ['link=Patient/G1', id('G1')],
    [`link=${base}/Patient/G1`, id('G1')],
    ['link:Patient=G1', id('G1')],
    ['link._id=G1', id('G1')],
    ['link:Patient._id=G1', id('G1')],
    // Of another server: nobody here.
    ['link=https://elsewhere.example/fhir/Patient/G1', id('')],
    ['link.identifier=a|1', [[{ kind: 'identifier', token: { system: 'a', value: '1' } }]]],
    ['link:Patient.identifier=1', [[{ kind: 'identifier', token: { system: null, value: '1' } }]]],
  ])('SRCH-11: %s', (query, expected) => {
    expect(links(query)).toEqual(expected);
  });
});

describe('the answer to a search', () => {
  const base = 'https://cr.example.org/fhir';
  const answer = (query: string, next: string | null) =>
    searchset({
      type: 'Patient',
      base,
      search: search(query),
      total: 7,
      matches: [{ ...anna, id: 'S1' }],
      included: [{ resourceType: 'Patient', id: 'G1' }],
      next,
    });

  it('SRCH-02, SRCH-03: counts matches only, names every entry by its absolute url and says why it is there', () => {
    const { total, entry } = answer('identifier=a|1&_include=Patient:link', null);
    expect(total).toBe(7);
    expect(entry?.map(({ fullUrl, search: why }) => [fullUrl, why?.mode])).toEqual([
      [`${base}/Patient/S1`, 'match'],
      [`${base}/Patient/G1`, 'include'],
    ]);
  });

  it('SRCH-01: links to itself with what was understood, and to the next page, which understands the same', () => {
    const links = answer('identifier=a|1,b|ü&birthplace=x&_count=1', 'S1').link ?? [];
    expect(links.map(({ relation }) => relation)).toEqual(['self', 'next']);
    const [self, next] = links.map(({ url }) => search(new URL(url).search));
    expect(self).toEqual(search('identifier=a|1,b|ü&_count=1'));
    expect(next).toEqual({ ...self, after: 'S1' });
  });

  it('SRCH-01: on a later page links to that page itself', () => {
    const url = answer('identifier=a|1&_page=S1', null).link?.[0]?.url ?? '';
    expect(search(new URL(url).search)).toEqual(search('identifier=a|1&_page=S1'));
  });
});

describe('a conditional request names its record', () => {
  const identifierOf = (query: string) => conditionalIdentifier(new URLSearchParams(query));

  it.each([
    ['PIX-104-08', 'identifier=urn:s|1'],
    ['PIX-104-08', 'identifier=urn:s%7C1&_format=json'],
  ])('%s: by system and value, the bar encoded or not: %s', (_id, query) => {
    expect(identifierOf(query)).toEqual({ system: 'urn:s', value: '1' });
  });

  it.each([
    '',
    'identifier=1',
    'identifier=|1',
    'identifier=urn:s|',
    'identifier=urn:s|1&identifier=urn:s|2',
    'deceased=x',
    'identifier=urn:s|1&deceased=x',
  ])('PIX-104-21: and is refused otherwise: %s', (query) => {
    expect(identifierOf(query)).toHaveProperty('code', 'invalid-request');
  });
});
