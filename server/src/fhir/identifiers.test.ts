import { expect, it } from 'vitest';
import { identifiersOf, identityOf } from './identifiers.ts';
import { anna } from './sample-patients.ts';

it('identifiers are taken as sent, each once, those without a value left out', () => {
  const identifier = [
    { value: ' a|1 ' },
    { system: 'urn:s', value: '1' },
    { system: 'urn:s' },
    { system: 'urn:s', value: '1', use: 'old' as const },
  ];
  expect(identifiersOf({ ...anna, identifier })).toEqual([
    { place: 0, system: '', value: ' a|1 ' },
    { place: 1, system: 'urn:s', value: '1' },
  ]);
  expect(identifiersOf({ resourceType: 'Patient' })).toEqual([]);
});

it('a record’s identity is its smallest own identifier, whatever their order', () => {
  const identifier = (system: string, value: string, names = true) => ({ system, value, names, scope: '' });
  const list = [identifier('urn:b', '1'), identifier('urn:a', '2'), identifier('urn:a', '10'), identifier('urn:0', '0', false)];
  expect(identityOf(list, 'lims')).toEqual({ system: 'urn:a', value: '10', client: 'lims' });
  expect(identityOf(list.toReversed(), 'lims')).toEqual(identityOf(list, 'lims'));
  expect(identityOf([identifier('urn:0', '0', false)], 'lims')).toBeUndefined();
});
