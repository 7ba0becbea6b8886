import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson, withoutComments } from './json.ts';

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
};

it('canonical JSON says the same value, whatever the order of its members', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
    }),
  );
});

it('comments go at any depth, and nothing else does', () => {
  expect(withoutComments({ __comments: 1, a: [{ __comments: {}, b: null }], c: '__comments' })).toEqual({
    a: [{ b: null }],
    c: '__comments',
  });
});
