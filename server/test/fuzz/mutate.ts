/** Edits of JSON values and of texts, from random numbers: the same edit of the same value is the same. */
import fc from 'fast-check';
import { oddText, oddValue } from './odd.ts';

type Holder = Record<string, unknown> | unknown[];
interface Place {
  readonly holder: Holder;
  readonly key: string;
}

const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;
const at = ({ holder, key }: Place): unknown => Reflect.get(holder, key);
/** Also `__proto__` becomes a member of its own, as JSON.parse makes it. */
const put = ({ holder, key }: Place, value: unknown): void => {
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
};

/** Every place in a value, from above. */
const placesIn = (holder: Holder): readonly Place[] =>
  Object.keys(holder).flatMap((key) => {
    const inside: unknown = Reflect.get(holder, key);
    return [{ holder, key }, ...(isHolder(inside) ? placesIn(inside) : [])];
  });

export interface Edit {
  readonly how: 'replace' | 'remove' | 'twice' | 'list' | 'add' | 'nest' | 'rename' | 'swap' | 'many';
  readonly at: number;
  readonly other: number;
  readonly name: string;
  readonly value: unknown;
}

const NAMES = [
  ...[
    'extension',
    '_birthDate',
    '_given',
    'modifierExtension',
    'implicitRules',
    'contained',
    'text',
    'id',
    'meta',
    'link',
    'contact',
    'photo',
  ],
  ...[
    'deceasedBoolean',
    'deceasedDateTime',
    'multipleBirthInteger',
    'value',
    'valueString',
    'url',
    'system',
    'period',
    'request',
    'resource',
  ],
  ...[
    '__proto__',
    'constructor',
    'toJSON',
    'length',
    'then',
    'fhir_comments',
    'resourceType',
    'active',
    'identifier',
    'managingOrganization',
  ],
];

export const edit: fc.Arbitrary<Edit> = fc.record({
  how: fc.constantFrom<Edit['how'][]>(
    'replace',
    'replace',
    'replace',
    'remove',
    'twice',
    'list',
    'add',
    'nest',
    'rename',
    'swap',
    'many',
  ),
  at: fc.nat(),
  other: fc.nat(),
  name: fc.oneof(fc.constantFrom(...NAMES), oddText),
  value: oddValue,
});

const acts: Readonly<Record<Edit['how'], (place: Place, edit: Edit, places: readonly Place[]) => void>> = {
  replace: (place, { value }) => {
    put(place, value);
  },
  remove: ({ holder, key }) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else Reflect.deleteProperty(holder, key);
  },
  twice: (place) => {
    if (Array.isArray(place.holder)) place.holder.push(structuredClone(at(place)));
    else put(place, [at(place), structuredClone(at(place))]);
  },
  list: (place) => {
    const value = at(place);
    put(place, Array.isArray(value) ? value[0] : [value]);
  },
  add: (place, { name, value }) => {
    const inside = at(place);
    const holder = isHolder(inside) ? inside : place.holder;
    if (Array.isArray(holder)) holder.push(value);
    else put({ holder, key: name }, value);
  },
  nest: (place, { other, name }) => {
    let value = at(place);
    for (let depth = other % 40; depth >= 0; depth -= 1) value = depth % 3 === 0 ? [value] : { [name]: value };
    put(place, value);
  },
  rename: (place, { name }) => {
    const value = at(place);
    if (Array.isArray(place.holder)) return;
    Reflect.deleteProperty(place.holder, place.key);
    put({ holder: place.holder, key: name }, value);
  },
  swap: (place, { other }, places) => {
    const second = places[other % places.length] ?? place;
    const [one, two] = [structuredClone(at(place)), structuredClone(at(second))];
    put(place, two);
    put(second, one);
  },
  many: (place, { other }) => {
    put(
      place,
      Array.from({ length: other % 120 }, () => structuredClone(at(place))),
    );
  },
};

/** The value after the edits; itself unchanged. */
export function edited(value: Holder, edits: readonly Edit[]): Holder {
  const copy = structuredClone(value);
  for (const one of edits) {
    const places = placesIn(copy);
    const place = places[one.at % Math.max(places.length, 1)];
    // A value that came of an edit is edited too, so it must not be in two places.
    if (place) acts[one.how](place, { ...one, value: structuredClone(one.value) }, places);
  }
  return copy;
}

export interface TextEdit {
  readonly how: 'cut' | 'insert' | 'drop' | 'twice';
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

const SCRAPS = [
  ...[
    '"',
    ',',
    '}',
    ']',
    '{',
    '[',
    ':',
    '//',
    '/*',
    '\\',
    '\\u0000',
    '\\ud83d',
    '\u0000',
    '\ufeff',
    '1e999',
    'null',
    '{"a":'.repeat(40),
    '['.repeat(40),
  ],
  ...['"__proto__":{"a":1},', '"active":true,', '"resourceType":"Patient",', '"id":"a",'],
  ...[
    '<',
    '>',
    '/>',
    '</name>',
    '<name>',
    '<!-- x -->',
    '<![CDATA[x]]>',
    '<?php x ?>',
    '&lt;',
    '&x;',
    '&#0;',
    '&#xFFFE;',
    '&#x1F600;',
  ],
  ...[
    '<!DOCTYPE Patient [<!ENTITY x "y">]>',
    ' xmlns="http://elsewhere.example"',
    ' value="x"',
    '<extension url="x"><valueString value="y"/></extension>',
  ],
  ...[
    '<active value="true"/>',
    '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>',
    '<text><status value="generated"/></text>',
    '<a>'.repeat(80),
  ],
];

export const textEdit: fc.Arbitrary<TextEdit> = fc.record({
  how: fc.constantFrom<TextEdit['how'][]>('cut', 'insert', 'insert', 'drop', 'twice'),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 40 }),
  text: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...SCRAPS) }, { weight: 1, arbitrary: oddText }),
});

export const editedText = (text: string, edits: readonly TextEdit[]): string =>
  edits.reduce((now, { how, at: place, length, text: scrap }) => {
    const from = place % (now.length + 1);
    const [before, part, after] = [now.slice(0, from), now.slice(from, from + length), now.slice(from + length)];
    return { cut: before, insert: before + scrap + part + after, drop: before + after, twice: before + part + part + after }[how];
  }, text);
