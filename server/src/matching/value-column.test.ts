import { expect, it } from 'vitest';
import { createColumn, setValue, valueAt } from './value-column.ts';

it('a value that no record has any more gives its place to the next new one, so that updates never fill the memory', () => {
  const column = createColumn();
  for (let i = 0; i < 10_000; i++) {
    setValue(column, i % 5, `value ${i}`);
    setValue(column, 5 + (i % 5), i % 2 === 0 ? '' : 'shared');
  }
  expect(column.texts.length).toBeLessThan(10);
  expect(column.idOf.size).toBeLessThan(10);
  expect(Array.from({ length: 5 }, (_, slot) => valueAt(column, slot))).toEqual(
    Array.from({ length: 5 }, (_, slot) => `value ${9995 + slot}`),
  );
  expect(valueAt(column, 9)).toBe('shared');
  expect(valueAt(column, 8)).toBe('');
});
